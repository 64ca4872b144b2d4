import { fileTypeFromBuffer } from 'file-type';
import type { FileType } from './part.js';
import { looksLikeText, textType } from './text-type.js';

/** How much of the beginning of a file {@link detectType} wants to see, in bytes. */
export const headBytes = 64 * 1024;

/** What the beginning of a file says it is: a type, or a name for people of what cannot be read. */
export type Detected = { type: FileType | 'zip'; label?: undefined } | { type: 'unknown'; label?: string | undefined };

/**
 * The type of a file from its content; the name only tells kinds of text apart, because a CSV file has no mark
 * of its own.
 *
 * @param head the first {@link headBytes} of the file, or all of it.
 */
export async function detectType(head: Buffer, name?: string): Promise<FileType | 'unknown'> {
  const { type } = await detect(head, name);
  return type === 'zip' ? (officeType(head) ?? 'unknown') : type;
}

/** As {@link detectType}, but leaves ZIP archives to whoever can read their list of contents. */
export async function detect(head: Buffer, name?: string): Promise<Detected> {
  if (isPdf(head)) return { type: 'pdf' };
  if (head.subarray(0, 4).equals(Buffer.from('PK\u0003\u0004'))) return { type: 'zip' };
  if (head.subarray(0, 5).equals(Buffer.from('{\\rtf'))) return { type: 'unknown', label: 'application/rtf' };
  // Before the look at magic numbers: some of them are two letters that any text may begin with.
  if (looksLikeText(head)) return { type: textType(head, name) };
  return { type: 'unknown', label: await labelOf(head) };
}

/** Readers of PDF allow for something before the header; but a text may be about the header, and has no objects then. */
function isPdf(head: Buffer): boolean {
  const at = head.subarray(0, 1024).indexOf('%PDF-');
  if (at <= 0) return at === 0 && (/^%PDF-\d/.test(head.toString('latin1', 0, 6)) || !looksLikeText(head));
  return !looksLikeText(head) || /(^|[\r\n])\d+ \d+ obj\b/.test(head.toString('latin1'));
}

/** A media type for what is of none of the types that are read, where one is known. */
export async function labelOf(head: Buffer): Promise<string | undefined> {
  // Templates and other kinds of the same programs are in no list, but say what they are in their first entry.
  const said = /^PK.{28}mimetype(application\/[\w.+-]+)PK/s.exec(head.toString('latin1', 0, 200))?.[1];
  if (said) return said;
  try {
    return (await fileTypeFromBuffer(head))?.mime;
  } catch {
    // It read past the end of the head.
    return undefined;
  }
}

const officeFolders = { docx: 'word/', pptx: 'ppt/', xlsx: 'xl/' } as const;

/** The kind of office file, from the names of the entries that follow one another in the head of an archive. */
function officeType(head: Buffer): FileType | undefined {
  const signature = Buffer.from('PK\u0003\u0004');
  for (let at = head.indexOf(signature); at >= 0; at = head.indexOf(signature, at + 4)) {
    const type = officeTypeOf([head.subarray(at + 30, at + 40).toString('latin1')]);
    if (type) return type;
  }
  return undefined;
}

/** The kind of office file that has entries of these names. */
export function officeTypeOf(names: Iterable<string>): 'docx' | 'pptx' | 'xlsx' | undefined {
  for (const name of names) {
    for (const type of ['docx', 'pptx', 'xlsx'] as const) if (name.startsWith(officeFolders[type])) return type;
  }
  return undefined;
}
