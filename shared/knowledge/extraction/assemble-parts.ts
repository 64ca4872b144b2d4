import { cleanText } from './clean-text.js';
import { cutAt } from './cut-text.js';
import { ExtractionFailed } from './failure.js';
import type { ExtractedPart, ResumePoint } from './part.js';
import { maxPartChars, type Piece } from './piece.js';

type Options = {
  textChars: number;
  from?: ResumePoint | undefined;
  /** Whether the parser itself began at `from.page`; else it gives everything again, and what was had is dropped. */
  beganAtPage: boolean;
};

/**
 * Turns what a parser finds into numbered parts with their places in the extracted text. The same pieces give
 * the same parts, so that a file read again from the middle continues with the same numbers.
 */
export async function* assembleParts(pieces: AsyncIterable<Piece>, options: Options): AsyncGenerator<ExtractedPart> {
  const { from, beganAtPage } = options;
  let part = beganAtPage ? (from?.part ?? 0) : 0;
  let char = beganAtPage ? (from?.char ?? 0) : 0;
  const firstPart = from?.part ?? 0;
  for await (const { text, goesOn = false, note: _note, ...place } of pieces) {
    // The empty line keeps the last words of a part and the first of the next one apart.
    const cleaned = cleanText(text).trim();
    if (!cleaned) continue;
    const headingPath = place.headingPath
      .map((heading) => cleanText(heading).replaceAll(/\s+/g, ' ').trim())
      .filter(Boolean);
    let rest = `${cleaned}\n\n`;
    while (rest) {
      const end = cutAt(rest, maxPartChars);
      const charEnd = char + end;
      if (charEnd > options.textChars) throw tooMuchText(options.textChars);
      const last = end === rest.length;
      const resume = resumeAfter(place.page, { part: part + 1, char: charEnd }, last && !goesOn);
      const found: ExtractedPart = {
        ...place,
        headingPath,
        part,
        text: rest.slice(0, end),
        charStart: char,
        charEnd,
        resume,
      };
      if (part >= firstPart) yield found;
      rest = rest.slice(end);
      part += 1;
      char = charEnd;
    }
  }
}

function resumeAfter(page: number | undefined, next: ResumePoint, last: boolean): ResumePoint | undefined {
  if (page === undefined) return next;
  return last ? { ...next, page: page + 1 } : undefined;
}

function tooMuchText(limit: number): ExtractionFailed {
  const million = Math.round(limit / 1_000_000);
  return new ExtractionFailed(
    'too_large',
    `The file holds more text than is allowed (${million > 0 ? `${million} million` : limit} characters).`,
  );
}
