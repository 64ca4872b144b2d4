import type { z } from 'zod';
import { AppError } from './errors.js';

/** The place in a list as an opaque string: callers keep it, they do not read it. */
function encodeCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** @throws AppError `invalid_cursor` when it was not made by {@link encodeCursor} for this kind of list. */
export function decodeCursor<S extends z.ZodType>(cursor: string | undefined, schema: S): z.output<S> | null {
  if (cursor === undefined) return null;
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new AppError('invalid_cursor', 'The cursor was not made by this list. Start again without it.');
  }
}

/** @param found what the list has from there on, up to one item more than the page: by that it is known whether it goes on. */
export function toPage<Item>(
  found: readonly Item[],
  limit: number,
  positionOf: (last: Item) => unknown,
): { items: Item[]; nextCursor: string | null } {
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return { items, nextCursor: last === undefined ? null : encodeCursor(positionOf(last)) };
}
