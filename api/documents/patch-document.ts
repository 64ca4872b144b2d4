import { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import { requireAccess } from '../../shared/documents/access.js';
import { isTagOf } from '../../shared/documents/bases.js';
import { changeContent, type Precondition } from '../../shared/documents/change-content.js';
import { documentFields } from '../../shared/documents/document.js';
import { announceTitle, renameDocument } from '../../shared/documents/rename.js';
import { retitleDocumentPoints } from '../../shared/knowledge/documents/ask.js';
import { endpoint, idParams } from '../endpoint.js';
import { contentBodyLimit, contentSchema } from './content.js';
import { documentTextSchema, presentText } from './present-text.js';

export const patchDocument = endpoint({
  method: 'patch',
  path: '/documents/:id',
  tag: 'documents',
  auth: 'user',
  summary: 'Rename a document, or edit its text',
  description:
    'An edit of the text says what it was made from. With `base`, as it came with the text, only what differs from ' +
    'that is applied: what others typed meanwhile stays, and the same edit sent again is made once. With the header ' +
    'If-Match and the ETag that came with the text, an edit of a text that has changed since is refused with 412. With neither the answer is 428.',
  params: idParams,
  headers: { 'If-Match': 'The ETag of the text that the edit was made from.' },
  bodyLimit: contentBodyLimit,
  body: z
    .strictObject({
      title: documentFields.title.optional(),
      content: contentSchema.optional().describe('The whole text, as it shall be.'),
      base: z.string().min(1).max(100).optional().describe('The `base` of the text that the edit was made from.'),
    })
    .refine((body) => Object.keys(body).length > 0, 'must change something')
    .refine((body) => body.base === undefined || body.content !== undefined, 'base goes with content'),
  response: { status: 200, description: 'The document as it is now.', schema: documentTextSchema },
  errors: ['not_found', 'forbidden', 'precondition_failed', 'precondition_required'],
  async handler({ ctx, principal, params, body, req, res }) {
    const { userId } = principal;
    await requireAccess(ctx.database, params.id, userId, 'edit');
    if (body.content !== undefined) {
      const given = preconditionOf(body.base, req.get('if-match'));
      await changeContent(ctx, { documentId: params.id, userId }, body.content, given);
    }
    const { title } = body;
    if (title !== undefined) {
      const ready = await ctx.database.transaction(async (tx) => {
        const renamed = await renameDocument(tx, { id: params.id, userId }, title);
        return renamed ? retitleDocumentPoints(tx, { documentId: params.id, userId }) : null;
      });
      if (ready) ctx.dispatcher.kick(ready);
      await announceTitle(ctx, params.id);
    }
    return presentText(ctx, principal, params.id, res);
  },
});

/** @throws AppError `precondition_required` when neither is given. */
function preconditionOf(base: string | undefined, ifMatch: string | undefined): Precondition {
  // Who sends both wants to be told when the text has changed.
  if (ifMatch !== undefined) {
    // A proxy that compresses answers makes their tags weak: what they stand for is the same text.
    const tags = ifMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return { ifMatch: (seq) => tags.some((tag) => tag === '*' || isTagOf(tag, seq)) };
  }
  if (base !== undefined) return { base };
  throw new AppError(
    'precondition_required',
    'Say what the edit was made from: send `base`, or the header If-Match, as they came with the text.',
  );
}
