import { MalformedUpdate } from './byte-reader.js';

/** What an update holds of one client: its operations from one clock up to, and without, another. */
export type ClientRange = { client: number; from: number; to: number };

/** The operation of client `by` at clock `at` was made beside that of another client at `clock`. */
export type Reference = { by: number; at: number; client: number; clock: number };

/** Up to which clock, and without it, the operations of each client have to be there. */
export type Clocks = Map<number, number>;

export function raise(clocks: Clocks, client: number, to: number): void {
  if (to > (clocks.get(client) ?? 0)) clocks.set(client, to);
}

/** Whoever sends what others wrote along has far fewer places where they wrote beside each other. */
const maxInside = 100_000;

/**
 * What has to be in a document before an update can be applied, beyond what the update brings itself.
 *
 * @param needs what it needs of the clients whose operations it goes on with, and of those from which it deletes.
 * @throws MalformedUpdate when its operations wait for each other, for they would wait for ever, or refer to each other
 * more often than can be followed in a moment.
 */
export function needsOf(ranges: readonly ClientRange[], references: readonly Reference[], needs: Clocks): Clocks {
  const brought = new Map(ranges.map(({ client, from, to }) => [client, { from, to }]));
  const inside: Reference[] = [];
  for (const reference of references) {
    const own = brought.get(reference.client);
    if (!own || reference.clock < own.from || reference.clock >= own.to) {
      raise(needs, reference.client, reference.clock + 1);
    } else inside.push(reference);
  }
  if (inside.length > maxInside) throw new MalformedUpdate('its operations refer to each other too often');
  if (inside.length > 0) requireOrder(inside);
  return needs;
}

/** By client those who wait for it, the one that waits for the least as the last: so who is next is known at once. */
type Waiting = Map<number, Reference[]>;

function wait(waiting: Waiting, reference: Reference): void {
  const others = waiting.get(reference.client);
  if (!others) {
    waiting.set(reference.client, [reference]);
    return;
  }
  let at = others.length;
  while (at > 0 && (others[at - 1] as Reference).clock < reference.clock) at -= 1;
  others.splice(at, 0, reference);
}

/** Applies the operations in thought: each client goes on until it comes to one that another client has not come to. */
function requireOrder(references: readonly Reference[]): void {
  const rows = new Map<number, Reference[]>();
  for (const reference of references) {
    const row = rows.get(reference.by);
    if (row) row.push(reference);
    else rows.set(reference.by, [reference]);
  }
  const next = new Map<number, number>();
  const waiting: Waiting = new Map();
  const open = [...rows.keys()];
  let left = references.length;
  for (let client = open.pop(); client !== undefined; client = open.pop()) {
    const row = rows.get(client) ?? [];
    let at = next.get(client) ?? 0;
    for (; at < row.length; at += 1) {
      const reference = row[at] as Reference;
      if (!isBefore(reference, rows, next)) {
        wait(waiting, reference);
        break;
      }
      left -= 1;
    }
    next.set(client, at);
    const waiters = waiting.get(client) ?? [];
    for (let first = waiters.at(-1); first && isBefore(first, rows, next); first = waiters.at(-1)) {
      waiters.pop();
      open.push(first.by);
    }
  }
  if (left > 0) throw new MalformedUpdate('operations in it wait for each other');
}

/** Whether what is referred to comes before the operation at which its client has to wait. */
function isBefore({ client, clock }: Reference, rows: Map<number, Reference[]>, next: Map<number, number>): boolean {
  const stop = rows.get(client)?.[next.get(client) ?? 0];
  return stop === undefined || clock < stop.at;
}
