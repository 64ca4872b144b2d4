import { readFile } from 'node:fs/promises';
import PostalMime, { type Address, type Attachment, type Email } from 'postal-mime';
import { decodeBytes } from '../decode-file.js';
import { encodingOfBytes } from '../encoding.js';
import { damaged, ExtractionFailed } from '../failure.js';
import { type Piece, sections } from '../piece.js';
import { withBoundary } from './mail-boundary.js';
import { calendarText } from './mail-calendar.js';
import { withRealCharset } from './mail-charset.js';
import { isEnriched, withEnriched } from './mail-enriched.js';
import { signedContent, withoutSignature } from './mail-signed.js';
import { bodyOf, withWindowsSigns } from './mail-text.js';
import { readTnef, type Tnef } from './mail-tnef.js';
import { mailsIn } from './mailbox.js';
import type { InnerFile, Source } from './parser.js';

/** An e-mail, or a mailbox of them. One that cannot be read does not spoil the others. */
export async function* readEml({ path, readInner, onAdvance }: Source): AsyncGenerator<Piece> {
  const mails = mailsIn(await readFile(path));
  let failed = 0;
  for (const [index, mail] of mails.entries()) {
    try {
      for await (const piece of readMail(withBoundary(withRealCharset(withoutSignature(mail))), readInner)) {
        yield { ...piece, done: (index + piece.done) / mails.length };
      }
    } catch (error) {
      failed += 1;
      const ofTheMail = error instanceof ExtractionFailed && /^(damaged|encrypted)$/.test(error.code);
      if (failed === mails.length || !ofTheMail) throw error;
    }
    onAdvance();
  }
}

/** Who, when, about what, its text, and the texts of what came with it: files, and other mails. */
async function* readMail(bytes: Buffer, readInner: Source['readInner']): AsyncGenerator<Piece> {
  const email = await parse(bytes);
  if (isEncrypted(email)) {
    throw new ExtractionFailed('encrypted', 'The mail is encrypted: only who it was sent to can open it.');
  }
  const headingPath = email.subject ? [email.subject.slice(0, 200)] : [];
  const { from, to, cc, subject, date } = email;
  const files = email.attachments
    .filter((file) => !isForPrograms(file) && !isEnriched(file))
    .flatMap((file) => unpacked(file)?.files ?? [fileOf(file)]);
  const text = email.html ? withEnriched(email) : withEnriched(email) || textOf(email);
  const header = [
    ['Subject', subject],
    ['From', from ? people([from]) : undefined],
    ['To', people(to)],
    ['Cc', people(cc)],
    ['Date', date],
    ['Attachments', files.map(({ name }) => name).join(', ')],
  ].flatMap(([name, value]) => (value ? [`${name}: ${value}`] : []));
  const blocks = [{ text: `${header.join('\n')}\n` }, ...(await bodyOf({ ...email, text }, bytes))];
  for await (const piece of sections(blocks, () => 0.5)) {
    yield { ...piece, headingPath: [...headingPath, ...piece.headingPath] };
  }

  for (const file of files) {
    const above = [...headingPath, file.name.slice(0, 200)];
    for await (const piece of readInner(file)) {
      yield { ...piece, headingPath: [...above, ...piece.headingPath], done: 1 };
    }
  }
}

/** Some mails have letters beyond ASCII and do not say in what encoding: what they look like is tried then. */
async function parse(bytes: Buffer): Promise<Email> {
  try {
    const email = await read(bytes);
    const lost = unreadableIn(email);
    const encoding = lost > 0 ? encodingOfBytes(bytes) : 'utf-8';
    if (encoding === 'utf-8') return email;
    const other = await read(Buffer.from(decodeBytes(bytes, encoding)));
    return unreadableIn(other) < lost ? other : email;
  } catch (error) {
    throw damaged('e-mail', error);
  }
}

/** Mails inside of the mail come as files: what they are about and who wrote them would be lost otherwise. */
const read = async (bytes: Buffer): Promise<Email> =>
  withWindowsSigns(await PostalMime.parse(bytes, { forceRfc822Attachments: true }));

const unreadableIn = ({ subject = '', text = '', html = '' }: Email): number =>
  `${subject}${text}${html}`.split('\ufffd').length - 1;

function isEncrypted({ headers }: Email): boolean {
  const type = headers.find(({ key }) => key === 'content-type')?.value ?? '';
  return /^\s*multipart\/encrypted\b/i.test(type) || /^\s*application\/(x-)?pkcs7-mime\b.*enveloped-data/is.test(type);
}

function people(addresses: Address[] | undefined): string {
  return (addresses ?? [])
    .flatMap((each) => (each.group?.length ? each.group : [each]))
    .map(({ name, address }) => (name && address ? `${name} <${address}>` : name || address || ''))
    .filter(Boolean)
    .join(', ');
}

/** The text of a mail that has it in what is packed only. */
const textOf = ({ attachments }: Email): string => attachments.map((file) => unpacked(file)?.text ?? '').join('\n');

/** Outlook packs what came with a mail into one file, and the text of the mail once more. */
function unpacked({ mimeType, filename, content }: Attachment): Tnef | undefined {
  const packed = /^application\/(vnd\.)?ms-tnef$/i.test(mimeType) || /^winmail\.dat$/i.test(filename ?? '');
  return packed ? readTnef(bytesOf(content)) : undefined;
}

const bytesOf = (content: Attachment['content']): Buffer =>
  typeof content === 'string' ? Buffer.from(content) : Buffer.from(new Uint8Array(content));

/** Without a name it gets one that says what the content alone does not always: a table, a page, a mail. */
function fileOf({ filename, mimeType, content }: Attachment): InnerFile {
  const bytes = bytesOf(content);
  if (mimeType === 'text/calendar') {
    const events = calendarText(bytes.toString());
    if (events) return { name: filename || 'invitation', content: Buffer.from(events) };
  }
  const signed = /\.p7m$/i.test(filename ?? '') ? signedContent(bytes) : undefined;
  if (filename && signed) return { name: filename.replace(/\.p7m$/i, ''), content: signed };
  return { name: filename || `attachment${endings[mimeType] ?? ''}`, content: bytes };
}

/** Signatures, and what a saved page looks and works like: people would find letters in no order and code. */
function isForPrograms({ mimeType, filename }: Attachment): boolean {
  if (/^application\/(pgp-signature|(x-)?pkcs7-signature)$/i.test(mimeType)) return true;
  return !filename && /^(text\/css|(text|application)\/(x-)?javascript)$/i.test(mimeType);
}

const endings: Record<string, string> = {
  'message/rfc822': '.eml',
  'text/csv': '.csv',
  'text/html': '.html',
  'text/markdown': '.md',
};
