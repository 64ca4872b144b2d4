import * as Y from 'yjs';
import { placesIn } from './places.js';

/** What one of several wrote who wrote at once, after the transactions with these numbers: `[position, deleted, inserted]`. */
export type Recorded = { parents: number[]; agent: number; patches: [number, number, string][] };

/** The same as an update of Yjs: of which client, and how much of each client has to be there before. */
export type Step = { agent: number; needs: [client: number, clock: number][]; update: Uint8Array };

const clientOf = (agent: number): number => agent + 1;

/** One of those who wrote: what they have, and how many transactions of each agent that is. */
type Replica = { doc: Y.Doc; has: Map<number, number> };

/** What an agent has written so far, with the numbers of the transactions. */
type Written = Map<number, { index: number; update: Uint8Array }[]>;

/**
 * Lets everybody write what they wrote on what they had then, without a server.
 *
 * @throws when what somebody had was less than what they had written: then they are not one client of Yjs.
 */
export function stepsOf(txns: readonly Recorded[], endText: string): Step[] {
  const written: Written = new Map();
  const versions: Map<number, number>[] = [];
  const replicas = new Map<number, Replica>();
  const places = placesIn(txns);
  const steps = txns.map(({ parents, agent, patches }, index) => {
    const replica = replicas.get(agent) ?? newReplica(clientOf(agent));
    replicas.set(agent, replica);
    const before = joined(parents.map((parent) => versions[parent] ?? new Map<number, number>()));
    bring(replica, before, written);
    const from = Y.encodeStateVector(replica.doc);
    const needs = [...Y.decodeStateVector(from)];
    const update = write(replica.doc, (text) => {
      for (const [position, deleted, insert] of patches) {
        const { at, remove } = places(text, position, deleted);
        text.delete(at, remove);
        text.insert(at, insert);
      }
    });
    const count = (before.get(agent) ?? 0) + 1;
    replica.has.set(agent, count);
    versions.push(new Map(before).set(agent, count));
    const own = written.get(agent);
    if (own) own.push({ index, update });
    else written.set(agent, [{ index, update }]);
    return { agent, needs, update };
  });
  const whole = newReplica(0);
  bring(whole, new Map([...written].map(([agent, { length }]) => [agent, length])), written);
  if (whole.doc.getText('content').toString() !== endText) throw new Error('The trace does not lead to its end text.');
  return steps;
}

function newReplica(client: number): Replica {
  const doc = new Y.Doc();
  doc.clientID = client;
  return { doc, has: new Map() };
}

function joined(versions: readonly Map<number, number>[]): Map<number, number> {
  const all = new Map<number, number>();
  for (const version of versions) {
    for (const [agent, count] of version) all.set(agent, Math.max(count, all.get(agent) ?? 0));
  }
  return all;
}

function bring({ doc, has }: Replica, version: Map<number, number>, written: Written): void {
  for (const [agent, count] of has) {
    if (count > (version.get(agent) ?? 0)) throw new Error('Somebody wrote on less than they had.');
  }
  const missing = [...version].flatMap(([agent, count]) => written.get(agent)?.slice(has.get(agent) ?? 0, count) ?? []);
  for (const [agent, count] of version) has.set(agent, count);
  // In the order of the trace, in which nothing has to wait for another.
  missing.sort((one, other) => one.index - other.index);
  doc.transact(() => {
    for (const { update } of missing) Y.applyUpdate(doc, update);
  });
}

/** @returns what was written, which may be nothing. */
function write(doc: Y.Doc, change: (text: Y.Text) => void): Uint8Array {
  let update = Uint8Array.from([0, 0]);
  const take = (made: Uint8Array<ArrayBuffer>): void => void (update = made);
  doc.on('update', take as (made: Uint8Array) => void);
  doc.transact(() => change(doc.getText('content')));
  doc.off('update', take as (made: Uint8Array) => void);
  return update;
}
