import { expect, it, vi } from 'vitest';
import type { Context } from '../../shared/context.js';
import { readIndexState } from '../../shared/knowledge/vector-index.js';
import { createLogger } from '../../shared/logger.js';
import { makeDocument } from '../support/documents.js';
import { eventually } from '../support/eventually.js';
import { startKnowledgeSystem } from '../support/knowledge.js';
import { ownQdrant } from '../support/qdrant.js';

vi.setConfig({ testTimeout: 150_000 });

/** A worker's context that counts what is made for the vector store, and keeps what is logged of it. */
function watched(ctx: Context): { ctx: Context; written: () => number; lines: string[] } {
  let written = 0;
  const lines: string[] = [];
  const write = (line: string): void => {
    const { msg } = JSON.parse(line) as { msg: string };
    if (msg.includes('vector store')) lines.push(msg);
  };
  const vectors: Context['vectors'] = {
    ...ctx.vectors,
    upsert(points) {
      written += 1;
      return ctx.vectors.upsert(points);
    },
  };
  const logger = createLogger({ level: 'info', role: 'test' }, { write });
  return { ctx: { ...ctx, vectors, logger }, written: () => written, lines };
}

it('jobs that wait for the vector store do not do their work to find that it is away', async () => {
  const qdrant = await ownQdrant();
  const system = await startKnowledgeSystem({ workers: 0, qdrantUrl: qdrant.url });
  const { database, vectors } = system.app.ctx;
  try {
    let worker = { written: () => 0, lines: [] as string[] };
    await system.startWorker({
      wrap: (ctx) => {
        const wrapped = watched(ctx);
        worker = wrapped;
        return wrapped.ctx;
      },
    });
    // Points of a collection that it has not seen yet would be written again, and that told.
    await eventually(async () => expect((await readIndexState(database)).collection).not.toBeNull());
    const user = await system.app.registerUser({ role: 'power' });
    const first = await system.write(user, { content: 'The firstword stands here.' });
    await system.settled(user, first.id);
    await system.idle();
    await qdrant.stop();
    const before = worker.written();
    const count = 20;
    for (let n = 0; n < count; n += 1) {
      await system.write(user, { content: `The heronword${n} stands here.` });
      await makeDocument(system.app, user, { title: 'Waits', content: `The bitternword${n} stands here.` });
    }
    // Each has come by again and again.
    await eventually(
      async () => {
        const { rows } = await database.query<{ waiting: number; failures: number }>(
          `SELECT count(*)::int AS waiting, max(failures)::int AS failures FROM jobs
           WHERE kind IN ('upsert-vectors', 'index-document') AND finished_at IS NULL AND attempt >= 4
             AND error->>'code' = 'vector_store_unavailable'`,
        );
        expect(rows).toEqual([{ waiting: 2 * count, failures: 0 }]);
      },
      { timeout: 90_000, interval: 200 },
    );
    // Only those have worked in vain that were at it when the first found out.
    expect(worker.written() - before).toBeLessThanOrEqual(12);
    expect(worker.lines).toEqual(['the vector store is not available; jobs wait for it']);

    await qdrant.again();
    const backAt = performance.now();
    await eventually(async () => expect(await vectors.count()).toBe(1 + 2 * count), { timeout: 60_000 });
    expect(performance.now() - backAt).toBeLessThan(15_000);
    await system.idle();
    expect(await system.search(user, `heronword${count - 1}`)).toHaveLength(1);
    expect(await system.search(user, `bitternword${count - 1}`)).toHaveLength(1);
    expect(worker.lines.slice(1)).toEqual(['the vector store is available again']);
  } finally {
    await system.close();
    await qdrant.remove();
  }
});
