import { stripVTControlCharacters } from 'node:util';

/** Characters that carry no text: controls other than tab and line feed, the byte order mark, noncharacters. */
// oxlint-disable-next-line no-control-regex -- these are the characters to remove
const invisible = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u2060\ufeff\ufffe\uffff]/g;

/**
 * The text as it is stored: lines end with a line feed, no more than one line in a row is empty, and there is
 * nothing that Postgres refuses (NUL, halves of surrogate pairs).
 */
export function cleanText(text: string): string {
  return (
    // How terminals are told to colour a log.
    (text.includes('\u001b') ? stripVTControlCharacters(text) : text)
      .replaceAll(/\r\n?|[\u0085\u2028\u2029\f\v]/g, '\n')
      .replaceAll(invisible, '')
      .replaceAll(/\p{Surrogate}/gu, '\ufffd')
      .replaceAll('\u00a0', ' ')
      // Begun at the first of them only: else a line of spaces takes the square of its length.
      .replaceAll(/(?<![ \t])[ \t]+(?=\n|$)/g, '')
      .replaceAll(/\n{3,}/g, '\n\n')
  );
}
