import type { Figure, Result } from '../report.js';
import { median, percentile } from '../statistics.js';
import { pace, type Reading, type SdkReading } from './players.js';

/** The SDK alone, and right after it the same through Millrace. */
export type Round = { sdk: SdkReading; millrace: Reading };

/** A reading with so many replies at once. */
export type Step = { replies: number; reading: Reading };

/** Later than this, at the 95th percentile, a system does not keep up; nor when less is read than was asked for. */
const tooLateMs = 250;
const leastShare = 0.95;

export const keepsUp = ({ replies, reading }: Step): boolean =>
  !reading.timedOut && percentile(reading.every, 95) <= tooLateMs && throughput(reading) >= leastShare * replies * pace;

/** Tokens a second while the most replies were under way: those that begin late or stream slowly make it less. */
export const throughput = ({ atOnce, paceKept }: Reading): number => Math.round(atOnce * pace * paceKept);

/** The middle of what the rounds found; delays less those of the SDK at the same percentile. */
export function judge(rounds: readonly Round[], steps: readonly Step[]): Result {
  const of = (value: (round: Round) => number): number => median(rounds.map(value));
  const raw = (side: keyof Round, kind: 'first' | 'every', percent: number): number =>
    of((round) => percentile(round[side][kind], percent));
  const added = (kind: 'first' | 'every', percent: number): number =>
    of(({ sdk, millrace }) => percentile(millrace[kind], percent) - percentile(sdk[kind], percent));

  const all = new Set([...rounds.map(({ millrace }) => millrace), ...steps.map(({ reading }) => reading)]);
  const last = steps.at(-1);
  const kept = steps.filter(keepsUp).at(-1);
  return {
    figures: [
      { name: 'replies at once', value: of(({ millrace }) => millrace.atOnce), unit: '' },
      { name: 'tokens read', value: of(({ millrace }) => throughput(millrace)), unit: 'tokens/s' },
      ...(['sdk', 'millrace'] as const).flatMap((side) =>
        (
          [
            ['first', 50],
            ['first', 95],
            ['every', 50],
            ['every', 95],
            ['every', 99],
          ] as const
        ).map(([kind, percent]) => ({
          name: `${side === 'sdk' ? 'SDK alone' : 'Millrace'}: ${nameOf(kind)} p${percent}`,
          value: raw(side, kind, percent),
          unit: 'ms',
        })),
      ),
      { name: 'SDK alone: processor time', value: of(({ sdk }) => sdk.cpuUs), unit: 'µs/token' },
      { name: 'Millrace: worker', value: of(({ millrace }) => millrace.cpuUs), unit: 'µs/token' },
      { name: 'Millrace: both web processes', value: of(({ millrace }) => millrace.webCpuUs), unit: 'µs/token' },
      { name: 'the clients', value: of(({ millrace }) => millrace.readersCpuUs), unit: 'µs/token' },
      { name: 'keeps up with', value: kept ? throughput(kept.reading) : 0, unit: 'tokens/s' },
      ...(last && !keepsUp(last) ? stopsAt(last) : []),
    ],
    targets: [
      { name: 'first delta p50', value: added('first', 50), unit: 'ms', relation: '≤', limit: 10 },
      { name: 'first delta p95', value: added('first', 95), unit: 'ms', relation: '≤', limit: 40 },
      { name: 'every token p95', value: added('every', 95), unit: 'ms', relation: '≤', limit: 80 },
      { name: 'gaps and repetitions', value: wrong([...all]), unit: '', relation: '≤', limit: 0 },
      {
        name: 'processor time',
        value: of(({ sdk, millrace }) => millrace.cpuUs / sdk.cpuUs),
        unit: "times the SDK's",
        relation: '≤',
        limit: 2.5,
      },
    ],
  };
}

const nameOf = (kind: 'first' | 'every'): string => (kind === 'first' ? 'first delta' : 'every token');

function stopsAt({ replies, reading }: Step): Figure[] {
  const name = `stops keeping up when asked for ${replies * pace}`;
  return [
    { name: `${name}: tokens read`, value: throughput(reading), unit: 'tokens/s' },
    { name: `${name}: every token p95`, value: percentile(reading.every, 95), unit: 'ms' },
  ];
}

/** Where it does not keep up at all, replies without an end say nothing about what was promised. */
const wrong = (all: readonly Reading[]): number =>
  all.filter(({ timedOut }) => !timedOut).reduce((sum, { problems }) => sum + problems.length, 0);
