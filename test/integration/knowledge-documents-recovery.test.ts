import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cleanKnowledge } from '../../workers/handlers/clean-knowledge.js';
import type { RunningWorker } from '../../workers/worker.js';
import { EmbeddingError } from '../../shared/adapters/embedder/embedder.js';
import type { Context } from '../../shared/context.js';
import { reindex } from '../../shared/knowledge/reindex.js';
import { createLogger } from '../../shared/logger.js';
import { eventually } from '../support/eventually.js';
import type { TestUser } from '../support/app.js';
import { makeDocument, share } from '../support/documents.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';
import { startMortalWorker } from '../support/mortal-worker.js';
import { ownRedis } from '../support/stack.js';

vi.setConfig({ testTimeout: 60_000 });

let system: KnowledgeSystem;
let ada: TestUser;
let redis: Awaited<ReturnType<typeof ownRedis>>;
beforeEach(async () => {
  redis = await ownRedis();
  system = await startKnowledgeSystem({ workers: 0, redisUrl: redis.url, retryBaseMs: 20 });
  ada = await system.app.registerUser();
});
afterEach(async () => {
  await system.close();
  await redis.remove();
});

/** Markdown of so many sections, each with a word of its own. */
const sections = (count: number, word: string): string =>
  Array.from({ length: count }, (_, n) => `## Part ${n}\n\n${`${word}${n} stands here. `.repeat(80)}`).join('\n\n');

const foundBy = (user: TestUser, q: string): Promise<void> =>
  eventually(async () => expect(await system.search(user, q)).not.toEqual([]), { timeout: 30_000 });

const count = async (statement: string): Promise<number> =>
  Number((await system.app.ctx.database.query(`SELECT count(*) AS n FROM ${statement}`)).rows[0]?.n);

/** Everything in the index is in Postgres and the other way round, and nothing is left over. */
async function expectWhole(): Promise<void> {
  await system.idle(30_000);
  const chunks = await count('document_chunks');
  expect(chunks).toBeGreaterThan(0);
  expect(await count('document_chunks WHERE index IS NOT NULL AND indexed_at IS NOT NULL')).toBe(chunks);
  expect(await system.app.ctx.vectors.count()).toBe(chunks);
  const { rows } = await system.app.ctx.database.query<{ id: string }>('SELECT id FROM document_chunks');
  const ids = rows.map(({ id }) => id);
  expect(await system.app.ctx.vectors.count({ must: [{ has_id: ids }] })).toBe(chunks);
  expect(await count('embeddings')).toBe(await count('(SELECT DISTINCT content_hash FROM document_chunks) AS known'));
}

const cleanWith = ({ ctx }: RunningWorker): Promise<void> =>
  cleanKnowledge(ctx, {
    signal: new AbortController().signal,
    logger: createLogger({ level: 'silent', role: 'test' }),
  });

function counting(ctx: Context, refuses: () => boolean = () => false): { ctx: Context; texts: () => number } {
  let texts = 0;
  const embedder: Context['embedder'] = {
    ...ctx.embedder,
    embed(given, kind, signal) {
      if (refuses()) throw new EmbeddingError('embedding_failed', 'Out of order.', { transient: true });
      texts += given.length;
      return ctx.embedder.embed(given, kind, signal);
    },
  };
  return { ctx: { ...ctx, embedder }, texts: () => texts };
}

describe('the index of a document', () => {
  it.each(['begin-indexing', 'COMMIT keep-vectors', 'COMMIT store-indexed-document', 'COMMIT note-points-written'])(
    'is made by another worker when one dies at %s',
    async (step) => {
      const worker = await startMortalWorker(system, ({ name, when }) => name.startsWith(step) && when === 'after');
      const id = await makeDocument(system.app, ada, { title: 'Long', content: sections(12, 'gulliver') });
      await worker.died;
      await system.startWorker();
      await foundBy(ada, 'gulliver7');
      await worker.bury();
      await expectWhole();
      expect((await system.search(ada, 'gulliver11'))[0]?.documentId).toBe(id);
    },
  );

  it('is made for every edit when Redis is flushed', async () => {
    await system.startWorker();
    const client = new Redis(redis.url);
    const ids: string[] = [];
    for (let n = 0; n < 30; n += 1) {
      ids.push(await makeDocument(system.app, ada, { title: 'Short', content: `The flushword${n} is here.` }));
      if (n % 6 === 5) await client.flushall();
    }
    await eventually(async () => expect(await count(`jobs WHERE state = 'queued'`)).toBeGreaterThan(0), {
      timeout: 10_000,
      interval: 5,
    });
    await client.flushall();
    client.disconnect();
    for (const [n, id] of ids.entries()) {
      await foundBy(ada, `flushword${n}`);
      expect((await system.search(ada, `flushword${n}`))[0]?.documentId).toBe(id);
    }
    await expectWhole();
  });

  it('is found in its old text while the embeddings service is away', async () => {
    let away = false;
    await system.startWorker({ wrap: (ctx) => counting(ctx, () => away).ctx });
    const id = await makeDocument(system.app, ada, { title: 'Long', content: 'The oldword is here.' });
    await foundBy(ada, 'oldword');
    await system.idle();
    away = true;
    const { body } = await system.app.request('GET', `/documents/${id}`, { token: ada.accessToken });
    const change = { content: 'The newword is here.', base: body.base };
    await system.app.request('PATCH', `/documents/${id}`, { token: ada.accessToken, body: change });
    await eventually(async () => expect(await count(`jobs WHERE kind = 'index-document' AND failures > 1`)).toBe(1), {
      timeout: 15_000,
    });
    expect(await system.search(ada, 'oldword')).toHaveLength(1);
    away = false;
    await foundBy(ada, 'newword');
    await expectWhole();
    expect(await system.search(ada, 'oldword')).toEqual([]);
  });

  it('is rebuilt without one embedding: when the collection is lost, and beside it', async () => {
    let counter = { texts: () => 0 };
    await system.startWorker({ wrap: (ctx) => (counter = counting(ctx)).ctx });
    await makeDocument(system.app, ada, { title: 'Long', content: sections(20, 'crane') });
    await foundBy(ada, 'crane19');
    await expectWhole();
    const before = counter.texts();
    const { vectors } = system.app.ctx;
    for (const name of await vectors.collections()) await vectors.deleteCollection(name);
    await eventually(async () => expect(await vectors.count()).toBe(await count('document_chunks')));
    await expectWhole();
    expect(counter.texts()).toBe(before);
    const done = await reindex(system.app.ctx, {}, new AbortController().signal);
    expect(done).toMatchObject({ embedded: 0, points: await count('document_chunks') });
    await expectWhole();
    expect(await system.search(ada, 'crane19')).not.toEqual([]);
  });

  it('is made by the cleaning of a text from before there was an index', async () => {
    const id = await makeDocument(system.app, ada, { title: 'Old', content: 'The bisonword is here.' });
    const { database } = system.app.ctx;
    await database.query('DELETE FROM jobs WHERE subject_id = $1', [id]);
    await database.query(
      `UPDATE document_heads SET edited_at = now() - interval '1 day', index_asked_at = NULL WHERE document_id = $1`,
      [id],
    );
    await cleanWith(await system.startWorker());
    await foundBy(ada, 'bisonword');
    await expectWhole();
  });

  it('is compared with Postgres by the cleaning: what lacks is written, what is too much removed', async () => {
    const worker = await system.startWorker();
    const ben = await system.app.registerUser();
    const id = await makeDocument(system.app, ada, { title: 'Long', content: sections(6, 'ibis') });
    const gone = await makeDocument(system.app, ada, { title: 'Gone', content: 'The heronword is here.' });
    await share(system.app, ada, id, ben, 'view');
    await foundBy(ben, 'ibis5');
    await foundBy(ada, 'heronword');
    await system.idle();
    const { database, vectors } = system.app.ctx;
    const { rows } = await database.query<{ id: string }>('SELECT id FROM document_chunks WHERE document_id = $1', [
      id,
    ]);
    await vectors.deleteIds(rows.slice(0, 2).map((row) => row.id));
    await vectors.setPayload({ readers: [], accessVersion: 0 }, { must: [{ key: 'entryId', match: { value: id } }] });
    // As if its own job had been given up.
    await database.query('DELETE FROM documents WHERE id = $1', [gone]);
    await cleanWith(worker);
    await foundBy(ben, 'ibis5');
    await expectWhole();
    expect(await count('indexed_documents')).toBe(1);
  });
});
