import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Recorded, type Step, stepsOf } from './concurrent-trace.js';

/** At `at` so many UTF-16 units go, and `insert` comes. */
export type Patch = { at: number; remove: number; insert: string };

/** How a text came to be, and what it is in the end; of several who wrote at once also what each wrote on what. */
export type Trace = { name: string; patches: Patch[]; endText: string; steps?: () => Step[] };

/**
 * Reads a recorded editing trace: gzip JSON `{endContent, txns: [{patches: [[position, deleted, inserted]]}]}`; of
 * several who wrote at once each of `txns` has an `agent` and `parents` besides.
 */
export function readTrace(file: string): Trace {
  const { endContent, txns } = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as {
    endContent: string;
    txns: (Recorded | { patches: Recorded['patches'] })[];
  };
  const name =
    file
      .split('/')
      .at(-1)
      ?.replace(/\.json\.gz$/, '') ?? file;
  const patches = txns.flatMap((txn) => txn.patches);
  const recorded = txns.filter((txn) => 'parents' in txn);
  if (recorded.length === 0) return { name, patches: toUnits(patches), endText: endContent };
  // Places on different texts: for what only needs something that is like typing.
  const units = patches.map(([at, remove, insert]) => ({ at, remove, insert }));
  return { name, patches: units, endText: endContent, steps: () => stepsOf(recorded, endContent) };
}

/** Recorded places count code points; those of Yjs count UTF-16 units. */
function toUnits(patches: [number, number, string][]): Patch[] {
  if (!patches.some(([, , insert]) => /[\ud800-\udfff]/.test(insert))) {
    return patches.map(([at, remove, insert]) => ({ at, remove, insert }));
  }
  const text: string[] = [];
  return patches.map(([position, deleted, insert]) => {
    const at = text.slice(0, position).join('').length;
    const removed = text.splice(position, deleted, ...insert);
    return { at, remove: removed.join('').length, insert };
  });
}

/** A trace like those of people who type, when none is given: bursts at one place, corrections, jumps. */
export function makeTrace(length: number): Trace {
  const patches: Patch[] = [];
  let text = '';
  let state = 42;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let at = 0;
  while (patches.length < length) {
    if (next(40) === 0) at = next(text.length + 1);
    const remove = next(6) === 0 ? Math.min(1, at) : 0;
    at -= remove;
    const insert = remove > 0 ? '' : ' etaoinshrdlu\n'.charAt(next(14));
    text = text.slice(0, at) + insert + text.slice(at + remove);
    patches.push({ at, remove, insert });
    at += insert.length;
  }
  return { name: 'made', patches, endText: text };
}
