import type { Attachment, Email } from 'postal-mime';
import { decodeBytes } from '../decode-file.js';
import { encodingOfBytes } from '../encoding.js';

/** The text of a mail with that of its parts in the enriched format, unless its plain text says the same. */
export function withEnriched({ text = '', attachments }: Email): string {
  let all = text;
  for (const { content } of attachments.filter(isEnriched)) {
    const bytes = Buffer.from(content as ArrayBuffer);
    const words = wordsOf(decodeBytes(bytes, encodingOfBytes(bytes)));
    if (!unspaced(all).includes(unspaced(words))) all = `${all}\n\n${words}`.trim();
  }
  return all;
}

/** Mail programs of the nineties wrote text with bold words so, and the library takes it for a file. */
export const isEnriched = ({ mimeType, filename }: Attachment): boolean =>
  !filename && /^text\/(enriched|richtext)$/i.test(mimeType);

/** Its commands stand in angle brackets, and lines end only where there are two ends in a row. */
function wordsOf(enriched: string): string {
  return enriched
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/\n+/g, (ends) => (ends.length > 1 ? ends.slice(1) : ' '))
    .replaceAll(/<param>[^<]*<\/param>/gi, '')
    .replaceAll(/<<|<\/?[\w-]{1,60}>/g, (command) => (command === '<<' ? '<' : ''));
}

const unspaced = (text: string): string => text.replaceAll(/\s+/g, '');
