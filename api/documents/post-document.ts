import { z } from 'zod';
import * as Y from 'yjs';
import { requirePermission } from '../../shared/accounts/policy.js';
import { importContent } from '../../shared/documents/change-content.js';
import { createDocument, documentFields, documentSchema, getDocument } from '../../shared/documents/document.js';
import { rewriteHere } from '../../shared/documents/edit.js';
import { maxContentLength } from '../../shared/documents/limits.js';
import { text } from '../../shared/schemas.js';
import { endpoint } from '../endpoint.js';

/** Bytes of a body that holds the longest text, in any script. */
export const contentBodyLimit = 4 * 1024 * 1024;

export const postDocument = endpoint({
  method: 'post',
  path: '/documents',
  tag: 'documents',
  auth: 'user',
  summary: 'Make a document, empty or from Markdown',
  idempotent: 'transaction',
  bodyLimit: contentBodyLimit,
  body: z.strictObject({
    title: documentFields.title.default('New document'),
    content: text(maxContentLength, 0).optional().describe('Its first text, in Markdown.'),
  }),
  response: { status: 201, description: 'The document; you are its owner and only reader.', schema: documentSchema },
  errors: ['forbidden'],
  async handler({ tx, principal, body }) {
    requirePermission(principal, 'documents:create');
    const { userId } = principal;
    const document = await createDocument(tx, { ownerId: userId, title: body.title });
    const edit = body.content ? rewriteHere(new Y.Doc(), body.content) : null;
    if (!edit) return document;
    await importContent(tx, { documentId: document.id, userId }, edit);
    return getDocument(tx, document.id, userId);
  },
});
