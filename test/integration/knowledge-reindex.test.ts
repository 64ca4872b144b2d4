import { expect, it } from 'vitest';
import { EmbeddingError } from '../../shared/adapters/embedder/embedder.js';
import type { Context } from '../../shared/context.js';
import { deleteReplacedCollections } from '../../shared/knowledge/leftovers.js';
import { type Listener, reindex, type Reindexed } from '../../shared/knowledge/reindex.js';
import { readIndexState, writeIndexState } from '../../shared/knowledge/vector-index.js';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { makeDocument } from '../support/documents.js';
import { eventually } from '../support/eventually.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

const run = (ctx: Pick<Context, 'database' | 'vectors' | 'embedder'>, listener: Listener = {}): Promise<Reindexed> =>
  reindex(ctx, listener, new AbortController().signal);

async function writeReady(system: KnowledgeSystem, user: TestUser, content: string): Promise<string> {
  const { id } = await system.write(user, { content });
  const { version } = await system.settled(user, id);
  expect(version).toMatchObject({ state: 'ready', error: null });
  return id;
}

it(
  'for another model leaves the processes of the earlier one what they have, and ends with all that they wrote',
  { timeout: 90_000 },
  async () => {
    const system = await startKnowledgeSystem({ workers: 0 });
    let app: TestApp | undefined;
    try {
      const user = await system.app.registerUser({ role: 'power' });
      const worker = await system.startWorker();
      await writeReady(system, user, 'The avocetletter.');
      await system.idle();

      const env = { QDRANT_VECTOR_SIZE: '128' };
      const { database, redis } = system.app.ctx.config;
      app = await startTestApp({ env: { ...system.env, ...env }, databaseUrl: database.url, redisUrl: redis.url });
      const next = app.ctx;
      let written: Promise<string> | undefined;
      const embedder: Context['embedder'] = {
        ...next.embedder,
        // Held until the process of the earlier model has written something beside it.
        async embed(...texts) {
          await (written ??= writeReady(system, user, 'The bitternletter.'));
          return next.embedder.embed(...texts);
        },
      };
      const done = await run({ ...next, embedder });
      expect(done).toMatchObject({ points: 1, embedded: 1, replaced: expect.any(String) });
      expect(await system.search(user, 'bitternletter')).toHaveLength(1);
      await writeReady(system, user, 'The curlewletter.');
      expect(await system.search(user, 'curlewletter', { mode: 'hybrid' })).not.toEqual([]);
      await worker.stop();

      await system.startWorker({ env });
      for (const word of ['avocetletter', 'bitternletter', 'curlewletter']) {
        const query = `/knowledge/search?q=${word}&mode=sparse`;
        await eventually(async () => {
          const answer = await app?.request('GET', query, { token: user.accessToken });
          expect(answer?.body.items).toHaveLength(1);
        });
      }
      await system.idle();

      expect(await deleteReplacedCollections(next)).toBe(0);
      await next.database.query(`UPDATE settings SET updated_at = now() - interval '1 day'`);
      expect(await deleteReplacedCollections(system.app.ctx)).toBe(0);
      expect(await deleteReplacedCollections(next)).toBe(1);
      expect(await next.vectors.collections()).toEqual([done.collection]);
    } finally {
      await app?.close();
      await system.close();
    }
  },
);

it('that was killed leaves nothing behind that work waits for', { timeout: 90_000 }, async () => {
  const system = await startKnowledgeSystem();
  try {
    const user = await system.app.registerUser({ role: 'power' });
    const { database, vectors } = system.app.ctx;
    await eventually(async () => expect((await readIndexState(database)).collection).not.toBeNull());
    const building = await vectors.createCollection();
    await writeIndexState(database, { ...(await readIndexState(database)), building });
    await vectors.deleteCollection(building);
    await writeReady(system, user, 'The dotterelletter.');
    expect((await readIndexState(database)).building).toBeNull();

    const left = await vectors.createCollection();
    await writeIndexState(database, { ...(await readIndexState(database)), building: left });
    const { collection } = await run(system.app.ctx);
    expect(await vectors.collections()).toEqual([collection]);
  } finally {
    await system.close();
  }
});

it(
  'waits for an embeddings service that has no room, asks for many at once, and leaves out what it refuses',
  {
    timeout: 90_000,
  },
  async () => {
    const system = await startKnowledgeSystem();
    try {
      const user = await system.app.registerUser({ role: 'power' });
      const words = ['fulmar', 'gannet', 'heron', 'ibis', 'jacana'];
      const ids = await Promise.all(words.map((word) => writeReady(system, user, `The ${word}letter.`)));
      for (const word of ['knot', 'lapwing'])
        await makeDocument(system.app, user, { title: 'Text', content: `The ${word}letter.` });
      await eventually(async () => expect(await system.search(user, 'lapwingletter')).toHaveLength(1));
      await system.idle();
      const { ctx } = system.app;
      await ctx.database.query('DELETE FROM embeddings');
      let refusals = 3;
      const asked: number[] = [];
      let refused = 'ibisletter';
      const embedder: Context['embedder'] = {
        ...ctx.embedder,
        async embed(texts, ...rest) {
          refusals -= 1;
          const told = { transient: true, retryAfterMs: 1 };
          if (refusals >= 0) throw new EmbeddingError('embedding_rate_limited', 'Too many requests.', told);
          asked.push(texts.length);
          if (texts.some((text) => text.includes(refused)))
            throw new EmbeddingError('embedding_refused', 'Not this one.', { transient: false });
          return ctx.embedder.embed(texts, ...rest);
        },
      };
      const waits: number[] = [];
      const listener: Listener = { waits: (_error, ms) => waits.push(ms) };
      const done = await run({ ...ctx, embedder }, listener);
      expect(waits).toEqual([1, 1, 1]);
      // All together, then one by one to find the one that is refused.
      expect(asked).toEqual([5, 1, 1, 1, 1, 1, 2]);
      expect(done).toMatchObject({ points: 6, left: [{ what: 'version', message: 'Not this one.' }] });
      expect(await system.search(user, 'herons', { mode: 'hybrid' })).not.toEqual([]);

      asked.length = 0;
      refused = 'nothing';
      expect(await run({ ...ctx, embedder })).toMatchObject({ embedded: 1, points: 7, left: [] });
      expect(asked).toEqual([1]);
      expect((await system.search(user, 'ibisletter'))[0]?.entryId).toBe(ids[3]);

      await ctx.database.query('DELETE FROM embeddings');
      refused = 'letter';
      const before = await ctx.vectors.inService();
      await expect(run({ ...ctx, embedder })).rejects.toThrow('Not this one.');
      expect([await ctx.vectors.inService(), await ctx.vectors.collections()]).toEqual([before, [before]]);
    } finally {
      await system.close();
    }
  },
);

it('runs once at a time', { timeout: 90_000 }, async () => {
  const system = await startKnowledgeSystem();
  try {
    const user = await system.app.registerUser({ role: 'power' });
    await writeReady(system, user, 'The egretletter.');
    const { ctx } = system.app;
    let second: Promise<unknown> | undefined;
    await run(ctx, {
      progress: () => {
        second ??= run(ctx).catch((error: Error) => error.message);
      },
    });
    expect(await second).toMatch(/running already/);
    expect(await run(ctx)).toMatchObject({ embedded: 0, points: 1 });
    expect(await system.search(user, 'egretletter')).toHaveLength(1);
  } finally {
    await system.close();
  }
});
