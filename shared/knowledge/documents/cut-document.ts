import { chunk, type Chunk } from '../chunking/chunk.js';
import type { NewChunk } from '../chunks.js';
import type { ExtractedPart } from '../extraction/part.js';
import { partsOfText } from '../extraction/text-parts.js';

/** Of a longer text the beginning is indexed, in UTF-16 code units: ten times what people write in one document. */
const maxChars = 5_000_000;

/**
 * Cuts the Markdown of a document into passages. They are cut from its cleaned text, as all others, but say where
 * they are in the text that people edit: each is `content.slice(charStart, charEnd)`, except that NUL and halves of
 * surrogate pairs, which Postgres refuses, are replaced.
 */
export async function cutDocument(content: string): Promise<NewChunk[]> {
  const original = content.slice(0, maxChars);
  let extracted = '';
  async function* parts(): AsyncGenerator<ExtractedPart> {
    for await (const part of partsOfText(original)) {
      extracted += part.text;
      yield part;
    }
  }
  const chunks: Chunk[] = [];
  for await (const one of chunk(parts())) chunks.push(one);
  return locate(chunks, extracted, original);
}

/**
 * Cleaning takes away and adds nothing but white space and characters without a shape: so the n-th of all others is
 * the same character in both texts.
 */
function locate(chunks: readonly Chunk[], extracted: string, original: string): NewChunk[] {
  const places = shapedPlaces(original);
  let counted = 0;
  let at = 0;
  /** How many shaped characters lie before `offset`; asked for growing offsets. */
  const countTo = (offset: number): number => {
    // Passages overlap by a sentence: a few steps back.
    for (; at > offset; at -= 1) if (isShaped(extracted.charCodeAt(at - 1))) counted -= 1;
    for (; at < offset; at += 1) if (isShaped(extracted.charCodeAt(at))) counted += 1;
    return counted;
  };
  return chunks.flatMap(({ headingPath, language, ...found }) => {
    const charStart = places[countTo(found.charStart)];
    const last = places[countTo(found.charEnd) - 1];
    if (charStart === undefined || last === undefined || last < charStart) return [];
    const charEnd = last + 1;
    const text = original.slice(charStart, charEnd).replaceAll(/[\0\p{Cs}]/gu, '\ufffd');
    return [{ text, page: null, sheet: null, slide: null, headingPath, charStart, charEnd, language }];
  });
}

/** Where the characters are that cleaning keeps. */
function shapedPlaces(text: string): Uint32Array {
  const places = new Uint32Array(text.length);
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (!isShaped(text.charCodeAt(at))) continue;
    places[count] = at;
    count += 1;
  }
  return places.subarray(0, count);
}

/** White space, and what has no shape: controls, soft hyphens, joiners of words, byte order marks, noncharacters. */
// oxlint-disable-next-line no-control-regex -- these are the characters that are meant
const unshaped = /[\s\u0000-\u001f\u007f-\u009f\u00ad\u200b\u2060\ufeff\ufffe\uffff]/;

const shapedUnits = Uint8Array.from({ length: 0x1_00_00 }, (_, code) =>
  unshaped.test(String.fromCharCode(code)) ? 0 : 1,
);

const isShaped = (code: number): boolean => shapedUnits[code] === 1;
