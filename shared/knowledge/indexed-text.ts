import { createHash } from 'node:crypto';

/**
 * What of a passage is embedded and found: its words, behind the headings that it stands under, unless it begins
 * with them.
 */
export function indexedText({ text, headingPath }: { text: string; headingPath: readonly string[] }): string {
  const headings = headingPath.filter((heading) => !text.startsWith(heading) && !text.includes(`${heading}\n`));
  return headings.length === 0 ? text : `${headings.join('\n')}\n\n${text}`;
}

/** Two passages with the same hash have the same vector. */
export function contentHash(indexed: string): Buffer {
  return createHash('sha256').update(indexed).digest();
}
