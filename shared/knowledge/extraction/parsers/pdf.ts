import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { PDFParse } from 'pdf-parse';
import { damaged, ExtractionFailed } from '../failure.js';
import { headingPath, type Piece } from '../piece.js';
import type { Source } from './parser.js';
import { annotationsOf } from './pdf-annotations.js';
import { attachedPieces } from './pdf-files.js';
import { type Heading, maxHeadings, maxTitle, readOutline, sectionsOf } from './pdf-outline.js';
import { marksHeadings, objectsIn } from './pdf-tags.js';
import { type PageText, pageText } from './pdf-text.js';

/** A PDF page by page, and then the files that are attached to it. */
export async function* readPdf({
  path: file,
  limits,
  from,
  onPages,
  onAdvance,
  readInner,
}: Source): AsyncGenerator<Piece> {
  const data = new Uint8Array(await readFile(file));
  const objects = objectsIn(data);
  const parser = new PDFParse({
    data,
    // No code from the file: fonts may carry programs.
    isEvalSupported: false,
    disableFontFace: true,
    useSystemFonts: false,
    // Asian files name character maps that every reader has to bring.
    cMapUrl: `${path.join(libraryFolder(), 'cmaps')}/`,
    cMapPacked: true,
    // Pictures are not looked at, and one may take more memory than all the text.
    maxImageSize: 1,
  });
  try {
    const { total, outline } = await parser.getInfo();
    onPages(total);
    if (total < 1) throw new ExtractionFailed('damaged', 'The file is damaged: it has no pages.');
    if (total > limits.pages) throw tooManyPages(total, limits.pages);
    const headings = await readOutline(parser, outline);
    const tagged = headings.length === 0 && (await marksHeadings(parser, total, objects));
    const enter = tagHeadings(headings);
    // What a page is under may stand on any before it.
    for (let page = 1; tagged && page < (from?.page ?? 1); page += 1) {
      const before = await pageText(parser, page, tagged).catch(() => undefined);
      if (before) enter(page, before);
      onAdvance();
    }
    let failedPages = 0;
    for (let page = from?.page ?? 1; page <= total; page += 1) {
      const sections: Pick<Piece, 'headingPath' | 'text' | 'note'>[] = [];
      try {
        const found = await pageText(parser, page, tagged);
        enter(page, found);
        sections.push(...sectionsOf(page, joinHyphens(found.text), headings));
      } catch (error) {
        // One broken page does not spoil a book; when no page can be read the file is damaged.
        failedPages += 1;
        if (failedPages === total) throw error;
        sections.push({ headingPath: [], text: `Page ${page} was not read: it is damaged.`, note: true });
      }
      onAdvance();
      const added = await annotationsOf(parser, page);
      if (added) sections.push({ headingPath: sections.at(-1)?.headingPath ?? [], text: added });
      for (const [index, section] of sections.entries()) {
        yield { page, ...section, done: page / total, goesOn: index < sections.length - 1 };
      }
    }
    yield* attachedPieces(parser, readInner);
  } catch (error) {
    throw asFailure(error);
  } finally {
    await parser.destroy().catch(() => undefined);
  }
}

/** Adds the headings that pages are tagged with, each under those before it that are of a higher level. */
function tagHeadings(headings: Heading[]): (page: number, found: PageText) => void {
  const path = headingPath();
  return (page, found) => {
    for (const { level, title } of found.headings) {
      const name = joinHyphens(title).replaceAll(/\s+/g, ' ').trim().slice(0, maxTitle);
      path.enter(level, name);
      if (name && headings.length < maxHeadings) headings.push({ page, title: name, path: path.path() });
    }
  };
}

/** Words before a hyphen that belongs to the word rather than to the end of the line. */
const compounding =
  /^(self|well|high|low|long|short|real|cross|non|full|half|two|three|four|state|user|end|time|ex|all)$/i;

/** Puts words together that were parted at the end of a line, so that they can be found. */
export function joinHyphens(text: string): string {
  return text.replaceAll(/(?<!\p{L})(\p{L}+)-\n(\p{Ll}+)/gu, (_, left: string, right: string) => {
    const keeps = compounding.test(left) || text.includes(`${left}-${right}`);
    return keeps ? `${left}-${right}` : `${left}${right}`;
  });
}

function libraryFolder(): string {
  const here = createRequire(import.meta.url);
  return path.dirname(createRequire(here.resolve('pdf-parse')).resolve('pdfjs-dist/package.json'));
}

function asFailure(error: unknown): unknown {
  if (error instanceof ExtractionFailed) return error;
  if (error instanceof Error && error.name === 'PasswordException') {
    return new ExtractionFailed('encrypted', 'The file is encrypted: it can only be opened with a password.', error);
  }
  return damaged('PDF', error);
}

function tooManyPages(total: number, limit: number): ExtractionFailed {
  return new ExtractionFailed('too_many_pages', `The file has ${total} pages; ${limit} are allowed.`);
}
