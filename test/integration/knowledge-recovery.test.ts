import { describe, expect, it } from 'vitest';
import type { Embedder } from '../../shared/adapters/embedder/embedder.js';
import { EmbeddingError } from '../../shared/adapters/embedder/embedder.js';
import { everything } from '../../shared/adapters/vector-store/filter.js';
import type { Context } from '../../shared/context.js';
import { compareIndex } from '../../shared/knowledge/compare-index.js';
import { reindex } from '../../shared/knowledge/reindex.js';
import { repairIndex } from '../../shared/knowledge/repair-index.js';
import { eventually } from '../support/eventually.js';
import { startKnowledgeSystem, type KnowledgeSystem } from '../support/knowledge.js';
import { ownQdrant } from '../support/qdrant.js';

/** Markdown that makes about `count` passages, each with a word of its own. */
const pages = (count: number, word = 'heronword'): string =>
  Array.from(
    { length: count },
    (_, n) => `## Page ${n}\n\n${`${word}${n} stands here, and some words more. `.repeat(40)}`,
  ).join('\n\n');

/** Counts the texts that an embedder is given. */
function counting(ctx: Context): { ctx: Context; texts: () => number } {
  let texts = 0;
  const embedder: Embedder = {
    ...ctx.embedder,
    embed(given, kind, signal) {
      texts += given.length;
      return ctx.embedder.embed(given, kind, signal);
    },
  };
  return { ctx: { ...ctx, embedder }, texts: () => texts };
}

const count = async (system: KnowledgeSystem, table: string): Promise<number> =>
  Number((await system.app.ctx.database.query(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.n);

describe('the way into the index', () => {
  it(
    'goes on where it was when workers stop in the middle, and nothing is there twice',
    { timeout: 150_000 },
    async () => {
      const system = await startKnowledgeSystem({ workers: 0 });
      try {
        const user = await system.app.registerUser({ role: 'power' });
        const content = pages(400);
        const { body } = await system.upload(user, { name: 'pages.md', bytes: content });
        const id = body.entry.id as string;
        let embedded = 0;
        for (let round = 0; round < 6; round += 1) {
          let counter = { texts: () => 0 };
          const worker = await system.startWorker({ wrap: (ctx) => (counter = counting(ctx)).ctx });
          await eventually(
            async () => {
              const { body } = await system.app.request('GET', `/knowledge/${id}`, { token: user.accessToken });
              const done = body.version.progress;
              if (body.version.state === 'ingesting' && done.embedded + done.indexed <= round * 60)
                throw new Error('not yet');
            },
            { timeout: 40_000, interval: 5 },
          );
          await worker.stop();
          embedded += counter.texts();
        }
        let last = { texts: () => 0 };
        await system.startWorker({ wrap: (ctx) => (last = counting(ctx)).ctx });
        const entry = await system.settled(user, id, 40_000);
        await system.idle();
        expect(entry.version.state).toBe('ready');
        const chunks = await count(system, 'knowledge_chunks');
        expect(entry.version.progress).toMatchObject({ chunks, embedded: chunks, indexed: chunks });
        expect(await system.app.ctx.vectors.count()).toBe(chunks);
        // Each stop may cost the batch that was being embedded at that moment.
        expect(embedded + last.texts()).toBeLessThanOrEqual(chunks + 6 * 128);
        expect(await system.search(user, 'heronword399')).not.toEqual([]);
      } finally {
        await system.close();
      }
    },
  );

  it('survives an embeddings service that refuses and fails', async () => {
    const system = await startKnowledgeSystem({ workers: 0, retryBaseMs: 20 });
    try {
      const user = await system.app.registerUser({ role: 'power' });
      let calls = 0;
      await system.startWorker({
        wrap: (ctx) => ({
          ...ctx,
          embedder: {
            ...ctx.embedder,
            embed(texts, kind, signal) {
              calls += 1;
              if (calls === 1)
                throw new EmbeddingError('embedding_rate_limited', 'Too many.', { transient: true, retryAfterMs: 50 });
              if (calls < 4) throw new EmbeddingError('embedding_failed', 'Out of order.', { transient: true });
              return ctx.embedder.embed(texts, kind, signal);
            },
          },
        }),
      });
      const { id } = await system.write(user, { content: 'The storkletter.' });
      expect((await system.settled(user, id)).version.state).toBe('ready');
      expect(calls).toBe(4);
    } finally {
      await system.close();
    }
  });

  it('fails with a reason when the service refuses for good, and goes on when it is tried again', async () => {
    const system = await startKnowledgeSystem({ workers: 0 });
    try {
      const user = await system.app.registerUser({ role: 'power' });
      let refuse = true;
      await system.startWorker({
        wrap: (ctx) => ({
          ...ctx,
          embedder: {
            ...ctx.embedder,
            embed(texts, kind, signal) {
              if (refuse) throw new EmbeddingError('embedding_refused', 'Not this text.', { transient: false });
              return ctx.embedder.embed(texts, kind, signal);
            },
          },
        }),
      });
      const { id, version } = await system.write(user, { content: 'The ibisletter.' });
      const failed = await system.settled(user, id);
      expect(failed.version).toMatchObject({ state: 'failed', error: { code: 'embedding_refused' } });
      await eventually(async () => {
        const { body } = await system.app.request('GET', `/jobs/${version.jobId}`, { token: user.accessToken });
        expect(body).toMatchObject({ state: 'failed', error: { code: 'embedding_refused' } });
      });
      refuse = false;
      expect((await system.post(user, `/jobs/${version.jobId}/retry`)).status).toBe(202);
      await eventually(async () => expect((await system.settled(user, id)).version.state).toBe('ready'));
      expect(await system.search(user, 'ibisletter')).toHaveLength(1);
    } finally {
      await system.close();
    }
  });
});

describe('a vector store that is lost', () => {
  it(
    'is filled again from Postgres without one embedding, and an outage only makes work wait',
    { timeout: 150_000 },
    async () => {
      const qdrant = await ownQdrant();
      const system = await startKnowledgeSystem({ workers: 0, qdrantUrl: qdrant.url });
      try {
        const user = await system.app.registerUser({ role: 'power' });
        let counter = { texts: () => 0 };
        await system.startWorker({ wrap: (ctx) => (counter = counting(ctx)).ctx });
        const { id } = await system.write(user, { content: pages(20, 'craneword') });
        await system.settled(user, id);
        await system.idle();
        const points = await system.app.ctx.vectors.count();
        const before = counter.texts();
        for (const name of await system.app.ctx.vectors.collections())
          await system.app.ctx.vectors.deleteCollection(name);
        await eventually(async () => expect(await system.app.ctx.vectors.count()).toBe(points), {
          timeout: 20_000,
          interval: 100,
        });
        expect(counter.texts()).toBe(before);
        expect(await system.search(user, 'craneword7')).not.toEqual([]);

        await qdrant.stop();
        const later = await system.write(user, { content: 'The pelicanletter.' });
        await eventually(
          async () => {
            const { rows } = await system.app.ctx.database.query(
              `SELECT 1 FROM jobs WHERE kind = 'upsert-vectors' AND attempt > 0 AND state = 'pending'`,
            );
            expect(rows).toHaveLength(1);
          },
          { timeout: 20_000 },
        );
        expect((await system.app.request('GET', '/knowledge/search?q=x', { token: user.accessToken })).status).toBe(
          503,
        );
        await qdrant.again();
        expect((await system.settled(user, later.id)).version.state).toBe('ready');
        expect(await system.search(user, 'pelicanletter')).toHaveLength(1);
      } finally {
        await system.close();
        await qdrant.remove();
      }
    },
  );

  it('is filled again once, however many find out at the same time, and told again what it has missed', async () => {
    const system = await startKnowledgeSystem();
    try {
      const user = await system.app.registerUser({ role: 'power' });
      const { id } = await system.write(user, { content: 'The storkletter.' });
      await system.settled(user, id);
      await system.idle();
      const { database, vectors } = system.app.ctx;
      await vectors.deleteCollection((await vectors.ensure()).collection);
      await Promise.all(Array.from({ length: 5 }, () => repairIndex({ database, vectors })));
      await system.idle();
      expect(await count(system, `jobs WHERE kind = 'upsert-vectors' AND priority = 1`)).toBe(1);
      expect(await system.search(user, 'storkletter')).toHaveLength(1);
      // As if the job had been given up that says so.
      await vectors.setPayload({ newest: false }, everything);
      expect(await system.search(user, 'storkletter')).toEqual([]);
      await compareIndex({ database, vectors }, new AbortController().signal);
      await eventually(async () => expect(await system.search(user, 'storkletter')).toHaveLength(1));
    } finally {
      await system.close();
    }
  });

  it('is built anew beside the old one, without a gap and without one embedding', async () => {
    const system = await startKnowledgeSystem();
    try {
      const user = await system.app.registerUser({ role: 'power' });
      const { id } = await system.write(user, { content: pages(30, 'egretword') });
      await system.settled(user, id);
      await system.idle();
      const { ctx } = system.app;
      const before = await ctx.vectors.check();
      let searching = true;
      let misses = 0;
      const searches = (async () => {
        while (searching) if ((await system.search(user, 'egretword3')).length === 0) misses += 1;
      })();
      const done = await reindex(ctx, {}, new AbortController().signal);
      searching = false;
      await searches;
      expect(misses).toBe(0);
      expect(done).toMatchObject({ embedded: 0, points: await count(system, 'knowledge_chunks') });
      expect(before).toMatchObject({ collection: done.replaced });
      expect(await ctx.vectors.collections()).toEqual([done.collection]);
      const next = await system.write(user, { content: 'After the egretswitch.' });
      await system.settled(user, next.id);
      expect(await system.search(user, 'egretswitch')).toHaveLength(1);
    } finally {
      await system.close();
    }
  });
});
