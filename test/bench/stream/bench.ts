import type { Bench } from '../bench.js';
import { percentile } from '../statistics.js';
import { waitForQuiet } from '../stage/quiet.js';
import { judge, keepsUp, type Round, type Step, throughput } from './judge.js';
import { readWithMillrace, readWithSdk, startPlayers } from './players.js';

const replies = 200;
const rounds = 3;
const warmUpTokens = 150;
/** Twelve seconds: with their starts spread over four, all of them are under way together for eight. */
const roundTokens = 600;

/** More replies at once, until they are late; for half as long. */
const more = [250, 300, 350, 400, 450, 500, 600, 700, 800];
const stepTokens = 300;

/**
 * Replies that stream at once through one worker process and two web processes to a socket client each, against
 * the SDK alone on the same provider, in turn.
 */
export const stream: Bench = {
  about: 'how late tokens reach a client, against the SDK alone',
  async run(stage) {
    const players = await startPlayers(stage, more.at(-1) ?? replies);
    await readWithSdk(players, replies, warmUpTokens);
    await readWithMillrace(players, replies, warmUpTokens);
    const measured: Round[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      await waitForQuiet(stage.say);
      const sdk = await readWithSdk(players, replies, roundTokens);
      const millrace = await readWithMillrace(players, replies, roundTokens);
      measured.push({ sdk, millrace });
      stage.say(`round ${round} of ${rounds}: SDK alone ${describe(sdk)}; Millrace ${describe(millrace)}`);
      millrace.problems.slice(0, 5).forEach(stage.say);
    }
    const steps: Step[] = measured.slice(-1).map(({ millrace }) => ({ replies, reading: millrace }));
    for (const count of more) {
      const step = { replies: count, reading: await readWithMillrace(players, count, stepTokens) };
      steps.push(step);
      stage.say(`${count} replies: ${describe(step.reading)}, ${throughput(step.reading)} tokens/s`);
      step.reading.problems.slice(0, 5).forEach(stage.say);
      if (!keepsUp(step)) break;
    }
    return judge(measured, steps);
  },
};

function describe({ first, every, cpuUs }: { first: Float64Array; every: Float64Array; cpuUs: number }): string {
  const at = (values: Float64Array, percent: number): string => percentile(values, percent).toFixed(1);
  return `first ${at(first, 50)} / ${at(first, 95)} ms, every ${at(every, 50)} / ${at(every, 95)} ms, ${cpuUs.toFixed(1)} µs/token`;
}
