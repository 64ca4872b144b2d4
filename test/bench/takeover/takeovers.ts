import type { ReplyRecord } from '../follow.js';

/** A reply whose worker went away and that another one began again. */
export type Takeover = {
  /** The index of the kill that it was hit by. */
  kill: number;
  /** From the kill to the first delta of a later attempt, in milliseconds. */
  delayMs: number;
};

/**
 * Every takeover of a reply. Which worker ran an attempt is not told to clients, but a reply falls silent when its
 * worker is killed, and deltas come every 40 ms: the kill nearest to an attempt's last sign of life is the one.
 */
export function takeoversOf(reply: ReplyRecord, kills: readonly number[]): Takeover[] {
  const found: Takeover[] = [];
  const signs = [...reply.started, ...reply.deltas];
  const attempts = [...new Set(signs.map(({ attempt }) => attempt))].sort((a, b) => a - b);
  for (const attempt of attempts.slice(0, -1)) {
    const lastSign = Math.max(...signs.filter((sign) => sign.attempt === attempt).map(({ at }) => at));
    const next = reply.deltas.find((delta) => delta.attempt > attempt);
    const kill = nearest(kills, lastSign);
    if (next) found.push({ kill, delayMs: next.at - (kills[kill] ?? NaN) });
  }
  return found;
}

function nearest(kills: readonly number[], at: number): number {
  const distances = kills.map((kill) => Math.abs(kill - at));
  return distances.indexOf(Math.min(...distances));
}
