import { z } from 'zod';
import { requirePermission } from '../../shared/accounts/policy.js';
import { decodeCursor, toPage } from '../../shared/cursor.js';
import { addVersion, createEntry, deleteEntry, describeEntry } from '../../shared/knowledge/change-entry.js';
import {
  entryFields,
  entrySchema,
  getContent,
  getEntry,
  listEntries,
  listVersions,
} from '../../shared/knowledge/entry.js';
import { maxContentLength, maxTitleLength } from '../../shared/knowledge/limits.js';
import { statuses } from '../../shared/knowledge/status.js';
import { versionSchema } from '../../shared/knowledge/version.js';
import { tellInTime } from '../../shared/realtime/tell.js';
import { id, limit, line, page, shownText } from '../../shared/schemas.js';
import { stopJobs } from '../stop-jobs.js';
import { endpoint, idParams, nothing } from '../endpoint.js';
import { tagsQuery } from './search.js';

const content = shownText(maxContentLength);

/** What is answered when work on a version was accepted. */
export const acceptedSchema = z.object({
  entry: entrySchema,
  jobId: z.uuid().describe('Ends when the version can be searched: GET /jobs/{id}, or job:watch over a socket.'),
});

export const postEntry = endpoint({
  method: 'post',
  path: '/knowledge',
  tag: 'knowledge',
  auth: 'user',
  summary: 'Make an entry from text',
  description: 'The text may be Markdown: its headings lead to the passages. For files see POST /knowledge/files.',
  idempotent: 'transaction',
  body: z.strictObject({ title: entryFields.title, content, tags: entryFields.tags.default([]) }),
  response: { status: 202, description: 'The entry, a draft, and the job that reads it.', schema: acceptedSchema },
  errors: ['forbidden'],
  async handler({ ctx, tx, principal, body, afterCommit }) {
    const { title, tags } = body;
    const made = await createEntry(tx, principal, { title, tags, content: { source: 'text', content: body.content } });
    afterCommit(() => ctx.dispatcher.kick(made.ready));
    return { entry: await getEntry(tx, principal, made.id), jobId: made.jobId };
  },
});

export const getEntries = endpoint({
  method: 'get',
  path: '/knowledge',
  tag: 'knowledge',
  auth: 'user',
  summary: 'List the entries that you may see, newest first',
  query: z.strictObject({
    limit,
    cursor: z.string().max(500).optional(),
    status: z.enum(statuses).optional(),
    tags: tagsQuery.optional().describe('Separated by commas; entries that have all of them.'),
    owner: z.union([z.literal('me'), id]).optional(),
    q: line(maxTitleLength).optional().describe('Looked for in the title.'),
    state: z.enum(['ingesting', 'ready', 'failed']).optional(),
  }),
  response: { status: 200, description: 'A page of entries.', schema: page(entrySchema) },
  errors: ['forbidden', 'invalid_cursor'],
  async handler({ ctx, principal, query }) {
    requirePermission(principal, 'knowledge:read');
    const before = decodeCursor(query.cursor, z.uuid());
    const ownerId = query.owner === 'me' ? principal.userId : query.owner;
    const wanted = { ...query, limit: query.limit + 1, ownerId, before };
    return toPage(await listEntries(ctx.database, principal, wanted), query.limit, (last) => last.id);
  },
});

export const getOneEntry = endpoint({
  method: 'get',
  path: '/knowledge/:id',
  tag: 'knowledge',
  auth: 'user',
  summary: 'Read an entry',
  params: idParams,
  response: {
    status: 200,
    description: 'The entry, and the text that its version was made of; null when that was a file.',
    schema: entrySchema.extend({ content: z.string().nullable() }),
  },
  errors: ['not_found'],
  async handler({ ctx, principal, params }) {
    const entry = await getEntry(ctx.database, principal, params.id);
    return { ...entry, content: await getContent(ctx.database, principal, params.id) };
  },
});

export const patchEntry = endpoint({
  method: 'patch',
  path: '/knowledge/:id',
  tag: 'knowledge',
  auth: 'user',
  summary: 'Change title, tags or content',
  description:
    'Another content makes a new version, a draft; others keep reading the approved one until the new one is approved. ' +
    'Title and tags change at once.',
  params: idParams,
  body: z
    .strictObject({
      title: entryFields.title.optional(),
      tags: entryFields.tags.optional(),
      content: content.optional(),
    })
    .refine((change) => Object.keys(change).length > 0, 'must change something'),
  response: {
    status: 202,
    description: 'The entry, and the job that reads its new version, if there is one.',
    schema: z.object({ entry: entrySchema, jobId: z.uuid().nullable() }),
  },
  errors: ['not_found', 'forbidden'],
  async handler({ ctx, principal, params, body }) {
    const { id } = params;
    const done = await ctx.database.transaction(async (tx) => {
      const { title, tags } = body;
      const synced = title !== undefined || tags ? [await describeEntry(tx, principal, { id, title, tags })] : [];
      const added =
        body.content === undefined
          ? null
          : await addVersion(tx, principal, { id, content: { source: 'text', content: body.content } });
      return {
        ready: added ? [...synced, added.ready] : synced,
        jobId: added?.jobId ?? null,
        entry: await getEntry(tx, principal, id),
      };
    });
    done.ready.forEach((lane) => ctx.dispatcher.kick(lane));
    return { entry: done.entry, jobId: done.jobId };
  },
});

export const removeEntry = endpoint({
  method: 'delete',
  path: '/knowledge/:id',
  tag: 'knowledge',
  auth: 'user',
  summary: 'Delete an entry with all its versions',
  params: idParams,
  response: { status: 204, description: 'Nobody sees it any more; a job removes what is left of it.', schema: nothing },
  errors: ['not_found', 'forbidden'],
  async handler({ ctx, principal, params }) {
    const gone = await ctx.database.transaction((tx) => deleteEntry(tx, principal, params.id));
    await tellInTime(stopJobs(ctx, gone));
  },
});

export const getVersions = endpoint({
  method: 'get',
  path: '/knowledge/:id/versions',
  tag: 'knowledge',
  auth: 'user',
  summary: 'List the versions of an entry, newest first',
  description: 'Its owner and admins see all of them, others the approved one.',
  params: idParams,
  query: z.strictObject({ limit, cursor: z.string().max(500).optional() }),
  response: { status: 200, description: 'A page of versions.', schema: page(versionSchema) },
  errors: ['not_found', 'invalid_cursor'],
  async handler({ ctx, principal, params, query }) {
    const before = decodeCursor(query.cursor, z.int32());
    const wanted = { id: params.id, limit: query.limit + 1, before };
    return toPage(await listVersions(ctx.database, principal, wanted), query.limit, (last) => last.n);
  },
});
