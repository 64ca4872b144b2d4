import { z } from 'zod';
import { requirePermission } from '../../shared/accounts/policy.js';
import { AppError, JobFailure } from '../../shared/errors.js';
import { tagSchema } from '../../shared/knowledge/entry.js';
import { hitSchema, searchSources } from '../../shared/knowledge/hit.js';
import { maxTags } from '../../shared/knowledge/limits.js';
import { searchModes } from '../../shared/knowledge/query-vectors.js';
import { searchPassages } from '../../shared/knowledge/search.js';
import { statuses } from '../../shared/knowledge/status.js';
import { untilAborted } from '../../shared/lifecycle.js';
import { limitOr, shownText } from '../../shared/schemas.js';
import { endpoint } from '../endpoint.js';

/** `a,b`: a list in a query string. */
export const tagsQuery = z
  .string()
  .max(2_000)
  .transform((value) => value.split(',').filter((tag) => tag.trim() !== ''))
  .pipe(z.array(tagSchema).max(maxTags));

/** In milliseconds: so long somebody waits for a search, of whatever it is that hangs. */
const timeoutMs = 10_000;

export const getKnowledgeSearch = endpoint({
  method: 'get',
  path: '/knowledge/search',
  tag: 'knowledge',
  auth: 'user',
  summary: 'Search the passages that you may read',
  description:
    'Of your own entries the newest version that is ready is searched, of others the approved one. Admins search the ' +
    'newest ready version of every entry. Of documents those are searched that you may view or edit, whatever your ' +
    'role; an edit is found a few seconds after it. Words of titles count as words of the passages do, except by meaning alone. At most three passages of one entry or document are answered. ' +
    'While queries cannot be embedded, `hybrid` searches go by words alone, and their answer says so; `dense` ones are ' +
    'answered 503. Guests do not search: they read the documents that were shared with them.',
  query: z.strictObject({
    q: shownText(2_000),
    limit: limitOr(10),
    tags: tagsQuery.optional().describe('Separated by commas; entries that have all of them. Documents have none.'),
    status: z.enum(statuses).optional().describe('Of the entry; those of others are approved. Documents have none.'),
    source: z.enum(searchSources).default('all').describe('Entries, documents, or both.'),
    mode: z.enum(searchModes).default('hybrid').describe('`dense`: by meaning alone; `sparse`: by words alone.'),
  }),
  response: {
    status: 200,
    description: 'Passages, the best first.',
    schema: z.object({
      items: z.array(hitSchema),
      mode: z
        .enum(searchModes)
        .describe(
          'How it was searched: as asked, but `sparse` where `hybrid` was asked for and the query could not be embedded. ' +
            'Passages that say the same in other words are missing then; scores of two modes do not compare.',
        ),
    }),
  },
  errors: ['forbidden'],
  async handler({ ctx, principal, query }) {
    requirePermission(principal, 'knowledge:read');
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const { mode, ...vectors } = await ctx.encodeQuery(query.q, query.mode, signal);
      const { limit, tags, status, source } = query;
      const found = searchPassages(ctx, [principal], { ...vectors, limit, tags, status, source });
      return { items: await untilAborted(found, signal), mode };
    } catch (error) {
      throw toUnavailable(error, signal);
    }
  },
});

/** A vector store or an embeddings service that is away is not our mistake, and passes. */
function toUnavailable(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof JobFailure || signal.aborted) {
    return new AppError('unavailable', 'The search is not available at the moment. Please try again.', {
      retryAfterSeconds: 2,
      cause: error,
    });
  }
  return error;
}
