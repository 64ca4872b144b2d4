import { z } from 'zod';

/**
 * Text of people, at most `max` characters. Postgres cannot store NUL nor half of a surrogate pair, so both are
 * refused here with a field error: the first would fail in the database, the second be stored as another text.
 */
export function text(max: number, min = 1) {
  return z
    .string()
    .min(min)
    .max(max)
    .refine((value) => !value.includes('\u0000'), 'must not contain NUL characters')
    .refine((value) => !/\p{Cs}/u.test(value), 'must not contain half of a surrogate pair');
}

/**
 * An id that somebody names. Any spelling of it is the same one to Postgres, but not to what compares text: rooms,
 * keys, the echo of an id in an event.
 */
export const id = z.uuid().toLowerCase();

/** A short line: trimmed, without control characters and halves of surrogate pairs. */
export function line(max: number, min = 1) {
  return z
    .string()
    .trim()
    .min(min)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters');
}

/** What `Number` makes of `0x10`, `1e1` or nothing at all was not meant. */
const fromDigits = (value: unknown): unknown =>
  typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;

const whole = (min: number, max: number) =>
  z
    .int({ error: ({ code }) => (code === 'invalid_type' ? 'must be a whole number, in digits' : undefined) })
    .min(min)
    .max(max);

/** A number in an address, in digits. */
export const digits = (min: number, max: number) => z.preprocess(fromDigits, whole(min, max));

/** How many items a page has. The default lies within: outside of the reading of digits it is not described. */
export const limitOr = (fallback: number) => z.preprocess(fromDigits, whole(1, 100).default(fallback));
export const limit = limitOr(50);

/** A page of a list. */
export function page<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('Give it as `cursor` to read on; null at the end.'),
  });
}
