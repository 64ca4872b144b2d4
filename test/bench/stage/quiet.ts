import { cpus } from 'node:os';
import { wait } from '../clock.js';

/** Cores in use that are noise still; an idle stage takes less than a tenth of one. */
const littleCores = 0.3;
const lookMs = 2_000;

/**
 * Waits for a moment in which the machine has little else to do: what others take is measured as ours.
 *
 * @param limitMs after which the bench goes on anyway, and says so.
 */
export async function waitForQuiet(say: (line: string) => void, limitMs = 60_000): Promise<void> {
  for (const deadline = Date.now() + limitMs; ;) {
    const cores = await coresInUse();
    if (cores <= littleCores) return;
    if (Date.now() > deadline) {
      say(`other processes take ${cores.toFixed(1)} cores: the figures say less than on an idle machine`);
      return;
    }
  }
}

async function coresInUse(): Promise<number> {
  const before = busyMs();
  const startedAt = performance.now();
  await wait(lookMs);
  return (busyMs() - before) / (performance.now() - startedAt);
}

const busyMs = (): number =>
  cpus().reduce((sum, { times }) => sum + times.user + times.sys + times.nice + times.irq, 0);
