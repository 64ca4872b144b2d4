import { z } from 'zod';
import type { Principal } from '../../shared/accounts/principal.js';
import { requireAccess } from '../../shared/documents/access.js';
import { baseOf, keepBase, tagOf } from '../../shared/documents/bases.js';
import { documentSchema, getDocument } from '../../shared/documents/document.js';
import { contentOf, loadDocument } from '../../shared/documents/log.js';
import type { WebContext } from '../context.js';
import type { Response } from 'express';

/** A document with its text. */
export const documentTextSchema = documentSchema
  .extend({
    content: z.string().describe('The text, in Markdown.'),
    base: z.string().describe('Names this state of the text: send it back with an edit that was made from it.'),
  })
  .meta({ id: 'DocumentText' });

type DocumentText = z.input<typeof documentTextSchema>;

/** The text as it is now, with the tag that an edit may be made under. */
export async function presentText(
  { database }: Pick<WebContext, 'database'>,
  principal: Principal,
  id: string,
  res: Response,
): Promise<DocumentText> {
  const { userId } = principal;
  await requireAccess(database, id, userId, 'view');
  const loaded = await loadDocument(database, id);
  // After it was read: whose right was taken away before that does not get it.
  const view = await getDocument(database, id, userId);
  if (view.level === 'edit') await keepBase(database, id, loaded);
  const { doc, seq } = loaded;
  res.setHeader('etag', tagOf({ ...view, seq }));
  return { ...view, seq, content: contentOf(doc).toString(), base: baseOf(seq) };
}
