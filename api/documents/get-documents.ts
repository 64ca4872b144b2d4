import { z } from 'zod';
import { decodeCursor, toPage } from '../../shared/cursor.js';
import { readAsReader } from '../../shared/documents/access.js';
import { documentPosition, documentSchema, getDocument, listDocuments } from '../../shared/documents/document.js';
import { exportDocument, exportFormats, exportTypes } from '../../shared/documents/export.js';
import { contentOf, loadDocument } from '../../shared/documents/log.js';
import { limit, page } from '../../shared/schemas.js';
import { attachment } from '../attachment.js';
import { endpoint, idParams } from '../endpoint.js';
import { documentTextSchema, presentText } from './present-text.js';

export const getDocuments = endpoint({
  method: 'get',
  path: '/documents',
  tag: 'documents',
  auth: 'user',
  summary: 'List the documents that you may read, the one that was edited last first',
  query: z.strictObject({ limit, cursor: z.string().max(500).optional() }),
  response: { status: 200, description: 'A page of documents, without their texts.', schema: page(documentSchema) },
  errors: ['invalid_cursor'],
  async handler({ ctx, principal, query }) {
    const after = decodeCursor(query.cursor, documentPosition);
    const found = await listDocuments(ctx.database, { userId: principal.userId, limit: query.limit + 1, after });
    return toPage(found, query.limit, (last) => ({ at: last.editedAt, id: last.id }));
  },
});

export const getOneDocument = endpoint({
  method: 'get',
  path: '/documents/:id',
  tag: 'documents',
  auth: 'user',
  summary: 'Read a document',
  description: 'The answer has an ETag, and names the state of the text as `base`: either lets you send an edit back.',
  params: idParams,
  response: { status: 200, description: 'The document with its text.', schema: documentTextSchema },
  errors: ['not_found', 'payload_too_large'],
  handler: ({ ctx, principal, params, res }) => presentText(ctx, principal, params.id, res),
});

export const getExport = endpoint({
  method: 'get',
  path: '/documents/:id/export',
  tag: 'documents',
  auth: 'user',
  summary: 'Download a document as Markdown, HTML or plain text',
  description: 'HTML within the text comes as text, and no script is ever in the file.',
  params: idParams,
  query: z.strictObject({ format: z.enum(exportFormats).default('md') }),
  response: { status: 200, description: 'The file.', stream: Object.values(exportTypes) },
  errors: ['not_found', 'payload_too_large'],
  async handler({ ctx, principal, params, query, res }) {
    const { database } = ctx;
    const { userId } = principal;
    const { format } = query;
    const { title, file } = await readAsReader(database, params.id, userId, async () => {
      const { title } = await getDocument(database, params.id, userId);
      const { doc } = await loadDocument(database, params.id);
      return { title, file: await exportDocument({ title, content: contentOf(doc).toString() }, format, userId) };
    });
    res.status(200).setHeader('content-type', `${exportTypes[format]}; charset=utf-8`);
    // No title is a path, whatever is in it.
    res.setHeader('content-disposition', attachment(`${title.replaceAll(/[/\\:*?"<>|]/g, '-')}.${format}`));
    res.end(file);
  },
});
