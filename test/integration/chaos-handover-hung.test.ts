import { expect, it } from 'vitest';
import { createHeldModel, wholeAnswer } from '../support/held-model.js';
import { allEnded, countJobs, openMany, postEach } from '../support/many.js';
import { ownRedis } from '../support/stack.js';
import { startTestSystem } from '../support/system.js';
import { eventually } from '../support/eventually.js';

/** In milliseconds: so soon a worker that is told to stop has handed its work on. */
const promisedMs = 2_000;

it('a worker that is told to stop while Redis hangs has given its replies back, and ends, as soon as ever', async () => {
  const redis = await ownRedis();
  const model = createHeldModel();
  const system = await startTestSystem({ workers: 0, modelApi: model.options, redisUrl: redis.url });
  const worker = await system.startWorker();
  const user = await system.app.registerUser();
  const conversations = await openMany(system, user, 4);
  await postEach(
    system,
    conversations.map((conversationId) => ({ user, conversationId, content: 'Hello' })),
  );
  await eventually(() => expect(system.modelApi.counts.open).toBe(4));

  process.kill(redis.pid, 'SIGSTOP');
  try {
    const startedAt = performance.now();
    await worker.stop();
    expect(performance.now() - startedAt).toBeLessThan(promisedMs);
    expect(await countJobs(system)).toEqual({ pending: 4 });
  } finally {
    process.kill(redis.pid, 'SIGCONT');
  }

  await system.startWorker();
  model.release();
  const ended = await allEnded(system);
  expect(ended.map(({ state, content }) => `${state} ${content}`)).toEqual(Array(4).fill(`done ${wholeAnswer}`));
  await system.close();
  await redis.remove();
});
