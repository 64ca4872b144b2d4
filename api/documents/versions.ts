import { z } from 'zod';
import { decodeCursor, toPage } from '../../shared/cursor.js';
import { readAsReader } from '../../shared/documents/access.js';
import { diffText } from '../../shared/documents/diff-text.js';
import { contentOf, loadDocument } from '../../shared/documents/log.js';
import { restoreVersion } from '../../shared/documents/restore.js';
import { listVersions, readVersion, versionSchema } from '../../shared/documents/versions.js';
import { digits, id, limit, page } from '../../shared/schemas.js';
import { endpoint, idParams } from '../endpoint.js';
import { documentTextSchema, presentText } from './present-text.js';

const n = digits(1, 2 ** 31 - 1);
const versionParams = z.object({ id, n });

export const getVersions = endpoint({
  method: 'get',
  path: '/documents/:id/versions',
  tag: 'documents',
  auth: 'user',
  summary: 'List the kept versions of a document, newest first',
  description: 'While a document is edited one is kept every ten minutes, and one at each pause; older ones thin out.',
  params: idParams,
  query: z.strictObject({ limit, cursor: z.string().max(500).optional() }),
  response: { status: 200, description: 'A page of versions, without their texts.', schema: page(versionSchema) },
  errors: ['not_found', 'invalid_cursor'],
  async handler({ ctx, principal, params, query }) {
    const before = decodeCursor(query.cursor, z.strictObject({ n }))?.n ?? null;
    const found = await readAsReader(ctx.database, params.id, principal.userId, () =>
      listVersions(ctx.database, { documentId: params.id, limit: query.limit + 1, before }),
    );
    return toPage(found, query.limit, (last) => ({ n: last.n }));
  },
});

export const getVersion = endpoint({
  method: 'get',
  path: '/documents/:id/versions/:n',
  tag: 'documents',
  auth: 'user',
  summary: 'Read a version of a document',
  params: versionParams,
  response: {
    status: 200,
    description: 'The version with its text.',
    schema: versionSchema.extend({ content: z.string() }),
  },
  errors: ['not_found'],
  handler: ({ ctx, principal, params }) =>
    readAsReader(ctx.database, params.id, principal.userId, () => readVersion(ctx.database, params.id, params.n)),
});

const change = z.object({
  at: z.int().describe('Where in the older text, in UTF-16 units.'),
  removed: z.string(),
  inserted: z.string(),
});

export const getVersionDiff = endpoint({
  method: 'get',
  path: '/documents/:id/versions/:n/diff',
  tag: 'documents',
  auth: 'user',
  summary: 'What has changed since a version',
  params: versionParams,
  query: z.strictObject({ to: n.optional().describe('Another version; the text as it is now unless told.') }),
  response: { status: 200, description: 'The changes, in order.', schema: z.object({ changes: z.array(change) }) },
  errors: ['not_found', 'payload_too_large'],
  async handler({ ctx, principal, params, query }) {
    const { database } = ctx;
    const [before, after] = await readAsReader(database, params.id, principal.userId, async () => [
      (await readVersion(database, params.id, params.n)).content,
      query.to === undefined
        ? contentOf((await loadDocument(database, params.id)).doc).toString()
        : (await readVersion(database, params.id, query.to)).content,
    ]);
    const changes = diffText(before, after).map(({ at, remove, insert }) => ({
      at,
      removed: before.slice(at, at + remove),
      inserted: insert,
    }));
    return { changes };
  },
});

export const postRestore = endpoint({
  method: 'post',
  path: '/documents/:id/versions/:n/restore',
  tag: 'documents',
  auth: 'user',
  summary: 'Make the text what it was in a version',
  description: 'It is an edit like any other, seen at once by who has the document open; the text before is kept.',
  params: versionParams,
  response: { status: 200, description: 'The document as it is now.', schema: documentTextSchema },
  errors: ['not_found', 'forbidden', 'payload_too_large'],
  async handler({ ctx, principal, params, res }) {
    await restoreVersion(ctx, { documentId: params.id, userId: principal.userId }, params.n);
    return presentText(ctx, principal, params.id, res);
  },
});
