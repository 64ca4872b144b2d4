import type { RunningWorker } from '../../workers/worker.js';
import { createMortal, type Step } from './mortal.js';
import type { TestSystem } from './system.js';
import { startTcpProxy } from './tcp-proxy.js';

/** A worker with ways of its own to everything, which can be killed in this process as SIGKILL would do it. */
export type MortalWorker = {
  worker: RunningWorker;
  /** Resolves when it is dead. */
  died: Promise<void>;
  die(): void;
  /** Clears away what is left of it. */
  bury(): Promise<void>;
};

/** @param diesAt asked at every step that the worker takes; without it, it dies when it is told to. */
export async function startMortalWorker(
  system: TestSystem,
  diesAt: (step: Step) => boolean = () => false,
): Promise<MortalWorker> {
  const [postgres, redis, model] = await Promise.all(
    [system.databaseUrl, system.redisUrl, system.modelApi.url].map(startTcpProxy),
  );
  if (!postgres || !redis || !model) throw new Error('a proxy is missing');
  const ways = [postgres, redis, model];
  const mortal = createMortal(diesAt, () => ways.forEach((way) => way.cut()));
  const worker = await system.startWorker({
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    env: { ANTHROPIC_BASE_URL: model.url },
    wrap: mortal.wrap,
  });
  return {
    worker,
    died: mortal.died,
    die: mortal.die,
    async bury() {
      mortal.die();
      mortal.bury();
      const stopped = worker.stop();
      // Its clients only come to rest when they reach their servers once more.
      await Promise.all(ways.map((way) => way.restore()));
      await stopped;
      for (const way of ways) way.cut();
    },
  };
}
