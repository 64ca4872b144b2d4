import { z } from 'zod';
import { maxContentLength } from '../../shared/documents/limits.js';

/**
 * The text of a document, whole. NUL is taken, which other texts may not hold: what an editor put in over a socket is in
 * the text that a caller has read, and could not be sent back.
 */
export const contentSchema = z
  .string()
  .max(maxContentLength)
  .refine((value) => !/\p{Cs}/u.test(value), 'must not contain half of a surrogate pair');

/** Bytes of a body that holds the longest text, in any script. */
export const contentBodyLimit = 4 * 1024 * 1024;
