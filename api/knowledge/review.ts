import { z } from 'zod';
import type { Ready } from '../../shared/backlog/enqueue.js';
import type { Sql } from '../../shared/database.js';
import type { Principal } from '../../shared/accounts/principal.js';
import { type EntryView, entrySchema, getEntry } from '../../shared/knowledge/entry.js';
import { maxReasonLength } from '../../shared/knowledge/limits.js';
import { stages } from '../../shared/knowledge/pipeline.js';
import { replayVersion } from '../../shared/knowledge/reading.js';
import { approveEntry, rejectEntry, submitEntry } from '../../shared/knowledge/review.js';
import { shownText } from '../../shared/schemas.js';
import type { WebContext } from '../context.js';
import { endpoint, idParams } from '../endpoint.js';
import { acceptedSchema } from './entries.js';

/** Does `step` and answers the entry as it is then. */
async function change(
  ctx: WebContext,
  principal: Principal,
  id: string,
  step: (tx: Sql) => Promise<Ready>,
): Promise<EntryView> {
  const { ready, entry } = await ctx.database.transaction(async (tx) => ({
    ready: await step(tx),
    entry: await getEntry(tx, principal, id),
  }));
  ctx.dispatcher.kick(ready);
  return entry;
}

const answer = { status: 200, description: 'The entry as it is now.', schema: entrySchema } as const;

export const postSubmit = endpoint({
  method: 'post',
  path: '/knowledge/:id/submit',
  tag: 'knowledge',
  auth: 'user',
  summary: 'Ask for the newest version to be approved',
  params: idParams,
  response: answer,
  errors: ['not_found', 'forbidden', 'conflict'],
  handler: ({ ctx, principal, params }) =>
    change(ctx, principal, params.id, (tx) => submitEntry(tx, principal, params.id)),
});

export const postApprove = endpoint({
  method: 'post',
  path: '/knowledge/:id/approve',
  tag: 'knowledge',
  auth: 'user',
  summary: 'Show the newest version to everybody',
  description: 'Only for admins, once the version is ready. It is found within a second.',
  params: idParams,
  body: z.strictObject({ version: z.int().positive().optional().describe('The one that you have looked at.') }),
  bodyOptional: true,
  response: answer,
  errors: ['not_found', 'forbidden', 'conflict'],
  handler: ({ ctx, principal, params, body }) =>
    change(ctx, principal, params.id, (tx) => approveEntry(tx, principal, { id: params.id, version: body?.version })),
});

export const postReject = endpoint({
  method: 'post',
  path: '/knowledge/:id/reject',
  tag: 'knowledge',
  auth: 'user',
  summary: 'Send the newest version back, or the approved one, with a reason',
  description:
    'Only for admins. The newest version is sent back unless `version` names the approved one. What was approved is taken ' +
    'back from everybody; a newer version of it stays the draft, or whatever it is, and can be approved. To send back a ' +
    'newer version leaves the approved one to its readers.',
  params: idParams,
  body: z.strictObject({
    reason: shownText(maxReasonLength),
    version: z.int().positive().optional().describe('The one that you have looked at.'),
  }),
  response: answer,
  errors: ['not_found', 'forbidden', 'conflict'],
  handler: ({ ctx, principal, params, body }) =>
    change(ctx, principal, params.id, (tx) => rejectEntry(tx, principal, { id: params.id, ...body })),
});

export const postReingest = endpoint({
  method: 'post',
  path: '/knowledge/:id/reingest',
  tag: 'knowledge',
  auth: 'user',
  summary: 'Do the newest version again, from a stage on',
  params: idParams,
  body: z.strictObject({ stage: z.enum(stages).default('read') }),
  bodyOptional: true,
  response: { status: 202, description: 'The entry, and the job.', schema: acceptedSchema },
  errors: ['not_found', 'forbidden', 'conflict'],
  async handler({ ctx, principal, params, body }) {
    const done = await ctx.database.transaction(async (tx) => {
      const replay = await replayVersion(tx, principal, { id: params.id, stage: body?.stage ?? 'read' });
      return { ...replay, entry: await getEntry(tx, principal, params.id) };
    });
    ctx.dispatcher.kick(done.ready);
    return { entry: done.entry, jobId: done.jobId };
  },
});
