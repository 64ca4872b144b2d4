import { z } from 'zod';
import { decodeCursor, toPage } from '../../shared/cursor.js';
import { readAsReader } from '../../shared/documents/access.js';
import { maxPassage, requestEdit } from '../../shared/documents/request-edit.js';
import { acceptSuggestion, rejectSuggestion, undoSuggestion } from '../../shared/documents/resolve-suggestion.js';
import {
  getSuggestion,
  listSuggestions,
  suggestionPosition,
  suggestionSchema,
} from '../../shared/documents/suggestion.js';
import { id, limit, page, shownText } from '../../shared/schemas.js';
import { endpoint, idParams } from '../endpoint.js';

const place = z.int().min(0);
const suggestionParams = z.object({ id, suggestionId: id });

const postEdit = endpoint({
  method: 'post',
  path: '/documents/:id/edits',
  tag: 'documents',
  auth: 'user',
  summary: 'Ask Claude to edit a document',
  description:
    'Accepted, not made yet: Claude rewrites the text, or a range of it, and the rewrite becomes a suggestion that is ' +
    'accepted or rejected as a whole or in parts. Who has the document open sees it being written, and may type on.',
  idempotent: 'transaction',
  params: idParams,
  body: z.strictObject({
    instruction: shownText(10_000),
    range: z
      .strictObject({ start: place, end: place })
      .optional()
      .describe(`In UTF-16 units; all of the text unless told. At most ${maxPassage} long.`),
    base: z.string().min(1).max(100).optional().describe('The `base` of the text that the range is counted in.'),
  }),
  response: {
    status: 202,
    description: 'The suggestion to come, and the job that makes it.',
    schema: z.object({ suggestionId: z.uuid(), jobId: z.uuid() }),
  },
  errors: ['not_found', 'forbidden', 'precondition_failed'],
  async handler({ ctx, tx, afterCommit, principal, params, body }) {
    const asked = await requestEdit(tx, { documentId: params.id, userId: principal.userId, ...body });
    afterCommit(() => ctx.dispatcher.kick(asked.ready));
    return { suggestionId: asked.suggestionId, jobId: asked.jobId };
  },
});

const getSuggestions = endpoint({
  method: 'get',
  path: '/documents/:id/suggestions',
  tag: 'documents',
  auth: 'user',
  summary: 'List what Claude suggested for a document, newest first',
  params: idParams,
  query: z.strictObject({ limit, cursor: z.string().max(500).optional() }),
  response: { status: 200, description: 'A page of suggestions.', schema: page(suggestionSchema) },
  errors: ['not_found', 'invalid_cursor'],
  async handler({ ctx, principal, params, query }) {
    const before = decodeCursor(query.cursor, suggestionPosition)?.id ?? null;
    const found = await readAsReader(ctx.database, params.id, principal.userId, () =>
      listSuggestions(ctx.database, { documentId: params.id, limit: query.limit + 1, before }),
    );
    return toPage(found, query.limit, (last) => ({ id: last.id }));
  },
});

const getOneSuggestion = endpoint({
  method: 'get',
  path: '/documents/:id/suggestions/:suggestionId',
  tag: 'documents',
  auth: 'user',
  summary: 'Read a suggestion of Claude',
  params: suggestionParams,
  response: { status: 200, description: 'The suggestion with its hunks.', schema: suggestionSchema },
  errors: ['not_found'],
  handler: ({ ctx, principal, params }) =>
    readAsReader(ctx.database, params.id, principal.userId, () =>
      getSuggestion(ctx.database, params.id, params.suggestionId),
    ),
});

const decisions = {
  accept: { summary: 'Take over what Claude suggests', decide: acceptSuggestion },
  reject: { summary: 'Decline what Claude suggests', decide: rejectSuggestion },
  undo: { summary: 'Take back what was accepted; what was typed since stays', decide: undoSuggestion },
};

const decisionEndpoint = (name: keyof typeof decisions) =>
  endpoint({
    method: 'post',
    path: `/documents/:id/suggestions/:suggestionId/${name}`,
    tag: 'documents',
    auth: 'user',
    summary: decisions[name].summary,
    description:
      'All hunks that this can be done with, unless some are named by their numbers, from 0. The same sent again is done ' +
      'once. A hunk whose text was replaced or deleted meanwhile can be neither accepted nor taken back: it becomes ' +
      '`stale`. With 409 the text was not changed.',
    params: suggestionParams,
    bodyOptional: true,
    body: z.strictObject({ hunks: z.array(place).min(1).max(10_000).optional() }),
    response: { status: 200, description: 'The suggestion as it is now.', schema: suggestionSchema },
    errors: ['not_found', 'forbidden', 'conflict'],
    async handler({ ctx, principal, params, body }) {
      const where = { documentId: params.id, suggestionId: params.suggestionId, userId: principal.userId };
      await decisions[name].decide(ctx, { ...where, hunks: body?.hunks });
      return getSuggestion(ctx.database, params.id, params.suggestionId);
    },
  });

export const suggestionRoutes = [
  postEdit,
  getSuggestions,
  getOneSuggestion,
  decisionEndpoint('accept'),
  decisionEndpoint('reject'),
  decisionEndpoint('undo'),
];
