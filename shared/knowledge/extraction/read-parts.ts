import { open } from 'node:fs/promises';
import { assembleParts } from './assemble-parts.js';
import { detect, headBytes, labelOf, officeTypeOf } from './detect-type.js';
import { ExtractionFailed } from './failure.js';
import { innerReader } from './inner-files.js';
import type { FileType } from './part.js';
import type { Parser, Source } from './parsers/parser.js';
import type { Piece } from './piece.js';
import { openArchive } from './parsers/zip.js';
import type { Answer, ExtractionRequest } from './protocol.js';
import { unreadable } from './unreadable.js';

/** Each parser is loaded when the first file of its kind comes: the one for PDF alone takes 100 ms. */
const parsers: Record<FileType, () => Promise<Parser>> = {
  pdf: async () => (await import('./parsers/pdf.js')).readPdf,
  docx: async () => (await import('./parsers/docx.js')).readDocx,
  pptx: async () => (await import('./parsers/pptx.js')).readPptx,
  xlsx: async () => (await import('./parsers/xlsx.js')).readXlsx,
  csv: async () => (await import('./parsers/csv.js')).readCsv,
  html: async () => (await import('./parsers/html.js')).readHtml,
  markdown: async () => (await import('./parsers/markdown.js')).readMarkdown,
  text: async () => (await import('./parsers/text.js')).readText,
  eml: async () => (await import('./parsers/eml.js')).readEml,
};

/**
 * Reads a file: first its type, then its parts. Runs in the child process.
 *
 * @param reading.scratch a folder for the files that are inside of it: not there yet, and removed by whoever names it.
 * @throws {ExtractionFailed}
 */
export async function* readParts(
  request: ExtractionRequest,
  { scratch, onAdvance }: { scratch: string; onAdvance: () => void },
): AsyncGenerator<Answer> {
  const { path, limits, from } = request;
  const { head, size } = await headOf(path);
  if (size === 0) throw new ExtractionFailed('empty', 'The file is empty.');
  if (size > limits.fileBytes) throw tooLarge(limits.fileBytes);
  const type = await typeOf(request, head);
  yield { kind: 'type', type };

  const parse = await parsers[type]();
  let pages: number | undefined;
  let toldPages = false;
  const readInner = innerReader(scratch, { limits, onAdvance }, piecesOf);
  const pieces = parse({ path, size, limits, from, onPages: (count) => (pages = count), onAdvance, readInner });
  const resumed = from !== undefined && from.part > 0;
  const own = ownText(pieces);
  let found = resumed;
  const beganAtPage = type === 'pdf' && from?.page !== undefined;
  for await (const part of assembleParts(own.pieces, { textChars: limits.textChars, from, beganAtPage })) {
    if (pages !== undefined && !toldPages) yield { kind: 'type', type, pages };
    toldPages = true;
    found = true;
    yield { kind: 'part', part };
  }
  if (!found || !(resumed || own.found())) throw withoutText(type);
}

async function* piecesOf(source: Source, name: string): AsyncGenerator<Piece> {
  const { head } = await headOf(source.path);
  const type = await typeOf({ ...source, name }, head);
  const parse = await parsers[type]();
  const own = ownText(parse(source));
  yield* own.pieces;
  if (!own.found()) throw withoutText(type);
}

/** Watches whether there is any text but what is said of files that were not read. */
function ownText(pieces: AsyncIterable<Piece>): { pieces: AsyncIterable<Piece>; found: () => boolean } {
  let found = false;
  async function* watched(): AsyncGenerator<Piece> {
    for await (const piece of pieces) {
      found ||= !piece.note && piece.text.trim() !== '';
      yield piece;
    }
  }
  return { pieces: watched(), found: () => found };
}

async function headOf(path: string): Promise<{ head: Buffer; size: number }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(Math.min(headBytes, size)),
      0,
      Math.min(headBytes, size),
      0,
    );
    return { head: buffer.subarray(0, bytesRead), size };
  } finally {
    await file.close();
  }
}

async function typeOf(
  { path, name, limits }: Pick<ExtractionRequest, 'path' | 'name' | 'limits'>,
  head: Buffer,
): Promise<FileType> {
  const detected = await detect(head, name);
  if (detected.type === 'unknown') throw await unreadable(path, detected.label, name);
  if (detected.type !== 'zip') return detected.type;
  const archive = await openArchive(path, limits.inflatedBytes);
  archive.close();
  const type = officeTypeOf(archive.names);
  if (!type) throw await unreadable(path, (await labelOf(head)) ?? 'application/zip');
  return type;
}

function withoutText(type: FileType): ExtractionFailed {
  if (type === 'pdf') {
    return new ExtractionFailed(
      'no_text',
      'There is no text on any page: the file may be a scan. Run text recognition (OCR) on it and upload it again.',
    );
  }
  return new ExtractionFailed('empty', 'There is no text in the file.');
}

function tooLarge(limit: number): ExtractionFailed {
  const megabytes = Math.round(limit / 1024 / 1024);
  return new ExtractionFailed('too_large', `The file is larger than ${megabytes} MB.`);
}
