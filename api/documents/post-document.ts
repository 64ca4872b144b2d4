import { z } from 'zod';
import * as Y from 'yjs';
import { requirePermission } from '../../shared/accounts/policy.js';
import { importContent } from '../../shared/documents/change-content.js';
import { createDocument, documentFields, documentSchema, getDocument } from '../../shared/documents/document.js';
import { rewriteHere } from '../../shared/documents/edit.js';
import { endpoint } from '../endpoint.js';
import { contentBodyLimit, contentSchema } from './content.js';

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
    content: contentSchema.optional().describe('Its first text, in Markdown.'),
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
