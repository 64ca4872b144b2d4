import { type ByteReader, createByteReader, MalformedUpdate } from './byte-reader.js';
import { type ClientRange, type Clocks, needsOf, raise, type Reference } from './update-needs.js';

/** What an update is of, and what has to be in the document for it. */
export type CheckedUpdate = {
  /** Whose operations it holds; none when it only deletes. */
  ranges: ClientRange[];
  needs: Clocks;
  /** What it may cost to merge, at most: the pieces that Yjs has to find a place for. */
  pieces: number;
};

/** The one shared type of a document. */
export const contentName = 'content';

/** Kinds of content, as version 1 of the encoding numbers them; see `structs` in Yjs. */
const kinds = { gc: 0, deleted: 1, string: 4, format: 6, skip: 10 } as const;

/** Clocks count characters; far above what anybody types, far below where numbers lose precision. */
const maxClock = 2 ** 45;

/** Accounts type under one client id, or a few that their devices had; Yjs has all of an update under way at once. */
const maxClients = 500;

/** Operations that only go on with the one before are this much cheaper than those that need a place of their own. */
const goesOnCost = 1 / 40;

/** Nested values in a format: more than editors write, fewer than would exhaust a stack. */
const maxDepth = 32;

/**
 * Reads an update from end to end, without building anything: time and memory are those of its bytes.
 *
 * Yjs itself takes almost everything: an operation that refers to a later one of its own client makes it throw in
 * every replica, and what is nested deeply enough exhausts its stack. What is let through here it can apply.
 *
 * @throws MalformedUpdate for everything but text, with or without formats, in the type named `content`.
 */
export function checkUpdate(update: Uint8Array): CheckedUpdate {
  const reader = createByteReader(update);
  const ranges: ClientRange[] = [];
  const found: Found = { references: [], needs: new Map(), pieces: 0 };
  const seen = new Set<number>();
  let left = reader.uint();
  if (left > maxClients) throw new MalformedUpdate(`it is of more than ${maxClients} clients; send only what is new`);
  for (; left > 0; left -= 1) {
    const range = readClient(reader, found);
    if (seen.has(range.client)) throw new MalformedUpdate('it names a client twice');
    seen.add(range.client);
    if (range.to > range.from) ranges.push(range);
  }
  readDeletions(reader, ranges, found);
  if (!reader.atEnd()) throw new MalformedUpdate('there is something behind its end');
  return { ranges, needs: needsOf(ranges, found.references, found.needs), pieces: found.pieces };
}

/** What was come across so far. */
type Found = { references: Reference[]; needs: Clocks; pieces: number };

function readClient(reader: ByteReader, found: Found): ClientRange {
  let left = reader.uint();
  const client = reader.uint();
  const from = reader.uint();
  let clock = from;
  let goesOnFrom = from;
  for (; left > 0; left -= 1) {
    const info = reader.byte();
    const length = readStruct(reader, info, { by: client, at: clock }, found);
    if (length === 0) throw new MalformedUpdate('an operation in it is empty');
    clock += length;
    if (clock > maxClock) throw new MalformedUpdate('a clock in it is too large');
    if (info === kinds.skip) goesOnFrom = clock;
  }
  raise(found.needs, client, goesOnFrom);
  return { client, from, to: clock };
}

/** @returns how many clock ticks the operation takes. */
function readStruct(reader: ByteReader, info: number, place: Pick<Reference, 'by' | 'at'>, found: Found): number {
  const kind = info & 31;
  if (info === kinds.skip || kind === kinds.gc) {
    found.pieces += goesOnCost;
    return reader.uint();
  }
  const hasLeft = (info & 128) !== 0;
  const hasRight = (info & 64) !== 0;
  const goesOn = hasLeft && readReference(reader, place, found.references) === place.at - 1;
  if (hasRight) readReference(reader, place, found.references);
  found.pieces += goesOn ? goesOnCost : 1;
  if (!hasLeft && !hasRight) readParent(reader, info);
  return readContent(reader, kind);
}

/**
 * The operation beside which this one was made; one of the same client was made before.
 *
 * @returns its clock if it is of the same client, else null.
 */
function readReference(
  reader: ByteReader,
  { by, at }: Pick<Reference, 'by' | 'at'>,
  references: Reference[],
): number | null {
  const client = reader.uint();
  const clock = reader.uint();
  if (client !== by) {
    references.push({ by, at, client, clock });
    return null;
  }
  if (clock >= at) throw new MalformedUpdate('an operation in it refers to a later one');
  return clock;
}

function readParent(reader: ByteReader, info: number): void {
  if (reader.uint() !== 1) throw new MalformedUpdate('it nests shared types; a document is one text');
  const name = reader.string();
  if (name !== contentName)
    throw new MalformedUpdate(`it changes "${name.slice(0, 40)}"; the text is "${contentName}"`);
  if ((info & 32) !== 0) throw new MalformedUpdate('it sets attributes; a document is one text');
}

function readContent(reader: ByteReader, kind: number): number {
  switch (kind) {
    case kinds.deleted:
      return reader.uint();
    case kinds.string:
      return reader.string().length;
    case kinds.format:
      reader.string();
      readJson(reader);
      return 1;
    default:
      throw new MalformedUpdate('it holds something else than text');
  }
}

function readJson(reader: ByteReader): void {
  let level: unknown[];
  try {
    level = [JSON.parse(reader.string())];
  } catch (error) {
    throw error instanceof MalformedUpdate ? error : new MalformedUpdate('a format in it is not JSON');
  }
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw new MalformedUpdate('a format in it is nested too deeply');
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
}

/**
 * Who deletes what is not there yet would delete what somebody is only going to write. Yjs writes deletions in order;
 * in the reverse order 100,000 of them, in 600 KB, took it 94 s: each moves all that come behind it.
 */
function readDeletions(reader: ByteReader, ranges: readonly ClientRange[], found: Found): void {
  const brought = new Map(ranges.map(({ client, to }) => [client, to]));
  const seen = new Set<number>();
  for (let clients = reader.uint(); clients > 0; clients -= 1) {
    const client = reader.uint();
    if (seen.has(client)) throw new MalformedUpdate('it names a client twice');
    seen.add(client);
    let end = 0;
    for (let ranges = reader.uint(); ranges > 0; ranges -= 1) {
      const clock = reader.uint();
      const length = reader.uint();
      if (length === 0 || clock + length > maxClock) throw new MalformedUpdate('a deletion in it is out of range');
      if (clock < end) throw new MalformedUpdate('deletions in it are not in order');
      end = clock + length;
      found.pieces += 1;
      if (end > (brought.get(client) ?? 0)) raise(found.needs, client, end);
    }
  }
}
