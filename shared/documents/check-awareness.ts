import { createByteReader, MalformedUpdate } from './byte-reader.js';

/** A client and the clock of what it shows. */
export type Shown = { client: number; clock: number };

/** Reads an update of y-protocols/awareness. @throws MalformedUpdate when it is none. */
export function checkAwareness(update: Uint8Array): Shown[] {
  const reader = createByteReader(update);
  const shown: Shown[] = [];
  for (let left = reader.uint(); left > 0; left -= 1) {
    const client = reader.uint();
    const clock = reader.uint();
    requireObject(reader.string());
    shown.push({ client, clock });
  }
  if (!reader.atEnd()) throw new MalformedUpdate('there is something behind its end');
  return shown;
}

function requireObject(json: string): void {
  try {
    if (typeof JSON.parse(json) === 'object') return;
  } catch {
    // Told below.
  }
  throw new MalformedUpdate('a state in it is no JSON object');
}

/**
 * The awareness update that makes a client disappear. Under the clock that it has shown: it may have come back under the
 * next one by another connection, before this one was given up.
 */
export function goneUpdate({ client, clock }: Shown): Uint8Array {
  const nothing = [...Buffer.from('null')];
  return Uint8Array.from([1, ...uint(client), ...uint(clock), nothing.length, ...nothing]);
}

function uint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return [...bytes, left];
}
