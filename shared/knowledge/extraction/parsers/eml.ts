import { readFile } from 'node:fs/promises';
import PostalMime, { type Address, type Attachment, type Email } from 'postal-mime';
import { decodeBytes } from '../decode-file.js';
import { encodingOfBytes } from '../encoding.js';
import { damaged } from '../failure.js';
import { htmlBlocks } from '../html-blocks.js';
import type { Piece } from '../piece.js';
import { looksLikeText } from '../text-type.js';
import type { Source } from './parser.js';

const maxAttachments = 20;
const maxAttachmentBytes = 1024 * 1024;

/** An e-mail: who, when, about what, its text, the names of its attachments, and the text of those that are text. */
export async function* readEml({ path }: Source): AsyncGenerator<Piece> {
  const email = await parse(await readFile(path));
  const headingPath = email.subject ? [email.subject.slice(0, 200)] : [];
  const { from, to, cc, subject, date, attachments } = email;
  const header = [
    ['Subject', subject],
    ['From', from ? people([from]) : undefined],
    ['To', people(to)],
    ['Cc', people(cc)],
    ['Date', date],
    [
      'Attachments',
      attachments
        .map(({ filename }) => filename)
        .filter(Boolean)
        .join(', '),
    ],
  ].flatMap(([name, value]) => (value ? [`${name}: ${value}`] : []));
  const body = email.text?.trim() ? email.text : await textOfHtml(email.html ?? '');
  yield { headingPath, text: `${header.join('\n')}\n\n${body}`, done: 0.5 };

  for (const attachment of attachments.slice(0, maxAttachments)) {
    const text = await textOf(attachment);
    if (!text) continue;
    const name = attachment.filename ?? 'attachment';
    yield { headingPath: [...headingPath, name.slice(0, 200)], text: `${name}:\n${text}`, done: 1 };
  }
}

/** Some mails have letters beyond ASCII and do not say in what encoding: what they look like is tried then. */
async function parse(bytes: Buffer): Promise<Email> {
  try {
    const email = await PostalMime.parse(bytes);
    const lost = unreadableIn(email);
    const encoding = lost > 0 ? encodingOfBytes(bytes) : 'utf-8';
    if (encoding === 'utf-8') return email;
    const other = await PostalMime.parse(Buffer.from(decodeBytes(bytes, encoding)));
    return unreadableIn(other) < lost ? other : email;
  } catch (error) {
    throw damaged('e-mail', error);
  }
}

const unreadableIn = ({ subject = '', text = '', html = '' }: Email): number =>
  `${subject}${text}${html}`.split('\ufffd').length - 1;

function people(addresses: Address[] | undefined): string {
  return (addresses ?? [])
    .map(({ name, address }) => (name && address ? `${name} <${address}>` : name || address || ''))
    .filter(Boolean)
    .join(', ');
}

async function textOfHtml(html: string): Promise<string> {
  async function* all(): AsyncGenerator<{ text: string }> {
    yield { text: html };
  }
  const lines: string[] = [];
  for await (const { text } of htmlBlocks(all(), { mainOnly: false })) lines.push(text);
  return lines.join('\n');
}

async function textOf({ mimeType, content }: Attachment): Promise<string | undefined> {
  if (!/^(text\/|application\/(json|xml))/.test(mimeType) || typeof content === 'string') return undefined;
  const bytes = Buffer.from(content instanceof ArrayBuffer ? new Uint8Array(content) : content);
  if (bytes.length > maxAttachmentBytes || !looksLikeText(bytes)) return undefined;
  const text = decodeBytes(bytes, encodingOfBytes(bytes));
  return mimeType === 'text/html' ? textOfHtml(text) : text;
}
