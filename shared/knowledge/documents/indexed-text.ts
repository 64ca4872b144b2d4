import { cleanText } from '../extraction/clean-text.js';
import { contentHash, indexedText } from '../indexed-text.js';

/** What of a passage of a document is embedded and found: it is stored as people wrote it, and found as if cleaned. */
export function indexedTextOf({ text, headingPath }: { text: string; headingPath: readonly string[] }): string {
  return indexedText({ text: cleanText(text), headingPath });
}

export const hashOf = (passage: { text: string; headingPath: readonly string[] }): Buffer =>
  contentHash(indexedTextOf(passage));
