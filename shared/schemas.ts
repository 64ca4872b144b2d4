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

/** White space, and what Unicode shows as nothing: zero width, marks of direction, fillers, the empty Braille cell. */
const shown = /[^\s\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffb]/u;

/** Whether people see anything of a text. */
const isShown = (value: string): boolean => shown.test(value);

/** {@link text} of which something is to be seen. */
export const shownText = (max: number) => text(max).refine(isShown, 'must not be blank');

/**
 * An id that somebody names. Any spelling of it is the same one to Postgres, but not to what compares text: rooms,
 * keys, the echo of an id in an event.
 */
export const id = z.uuid().toLowerCase();

/**
 * A short line: trimmed, of which something is to be seen, without control characters and halves of surrogate pairs.
 * Lines are compared, as tags and in titles: an accented letter is one character, also where a keyboard or a file system
 * has sent letter and accent.
 */
export function line(max: number, min = 1) {
  return z
    .string()
    .trim()
    .normalize('NFC')
    .min(min)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters')
    .refine((value) => value === '' || isShown(value), 'must not be blank');
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
