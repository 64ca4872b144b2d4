import { z } from 'zod';
import { maxContentLength } from '../../shared/documents/limits.js';

/**
 * The text of a document, whole. NUL is taken, which other texts may not hold: what an editor put in over a socket is in
 * the text that a caller has read, and could not be sent back.
 *
 * Lines end with LF alone, as editors count them: CodeMirror takes CR LF for one character, and what was typed behind it
 * went elsewhere in the shared text. A mark of the byte order is none of the text, and hid a heading behind it.
 */
export const contentSchema = z
  .string()
  .max(maxContentLength)
  .refine((value) => !/\p{Cs}/u.test(value), 'must not contain half of a surrogate pair')
  .transform((value) => value.replace(/^\ufeff/, '').replaceAll(/\r\n?/g, '\n'));

/** Bytes of a body that holds the longest text, with every character escaped: many programs write JSON in ASCII. */
export const contentBodyLimit = 6 * maxContentLength + 64 * 1024;
