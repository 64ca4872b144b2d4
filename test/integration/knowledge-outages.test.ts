import { expect, it, vi } from 'vitest';
import { reindex } from '../../shared/knowledge/reindex.js';
import type { TestUser } from '../support/app.js';
import { makeDocument } from '../support/documents.js';
import { type Refusal, startEmbeddingsApi } from '../support/embeddings-api.js';
import { eventually } from '../support/eventually.js';
import { startKnowledgeSystem, type KnowledgeSystem } from '../support/knowledge.js';
import { ownQdrant } from '../support/qdrant.js';
import { startWorkerProcess } from '../support/worker-process.js';

vi.setConfig({ testTimeout: 150_000 });

/** Markdown of about so many passages, each with a word of its own. */
const pages = (count: number, word: string): string =>
  Array.from(
    { length: count },
    (_, n) => `## Page ${n}\n\n${`${word}${n} stands here, and some words more. `.repeat(40)}`,
  ).join('\n\n');

async function uploadPages(system: KnowledgeSystem, count: number, word: string) {
  const user = await system.app.registerUser({ role: 'power' });
  const { body } = await system.upload(user, { name: 'pages.md', bytes: pages(count, word) });
  return { user, id: body.entry.id as string };
}

async function progressOf(system: KnowledgeSystem, user: TestUser, id: string) {
  const { body } = await system.app.request('GET', `/knowledge/${id}`, { token: user.accessToken });
  return body.version.progress as { stage: string; chunks: number; embedded: number; indexed: number };
}

/** The entry is ready, and there is one passage, one vector and one point for each of its passages, and no more. */
async function expectWholeOnce(system: KnowledgeSystem, user: TestUser, id: string): Promise<number> {
  const { version } = await system.settled(user, id, 90_000);
  expect(version).toMatchObject({ state: 'ready', error: null });
  await system.idle(60_000);
  const { rows } = await system.app.ctx.database.query<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM knowledge_chunks) AS chunks,
       (SELECT count(DISTINCT (char_start, char_end))::int FROM knowledge_chunks) AS places,
       (SELECT count(DISTINCT content_hash)::int FROM knowledge_chunks) AS texts,
       (SELECT count(*)::int FROM embeddings) AS vectors,
       (SELECT sum(term_count)::int FROM knowledge_chunks) AS terms, version.term_count::int AS counted
     FROM knowledge_versions AS version`,
  );
  const found = rows[0] ?? {};
  expect(found).toMatchObject({ places: found.chunks, vectors: found.texts, counted: found.terms });
  expect(version.progress).toMatchObject({ chunks: found.chunks, embedded: found.chunks, indexed: found.chunks });
  await eventually(async () => expect(await system.app.ctx.vectors.count()).toBe(found.chunks));
  return found.chunks ?? 0;
}

it('a worker that is killed at 90 % has at most the batches done again that it was at', async () => {
  const total = 700;
  let wholeBatches = Number.POSITIVE_INFINITY;
  const api = await startEmbeddingsApi((n) => (n > wholeBatches ? 'hold' : undefined));
  const system = await startKnowledgeSystem({ workers: 0, env: api.env });
  // A request carries 32 texts: from the ninth tenth on none is answered.
  wholeBatches = Math.floor((total * 0.9) / 32);
  try {
    const { user, id } = await uploadPages(system, total, 'ruffword');
    const first = await startWorkerProcess(system, system.env);
    await eventually(
      async () => {
        const { chunks, indexed, embedded } = await progressOf(system, user, id);
        expect(chunks).toBeGreaterThanOrEqual(total);
        // All that was answered is kept and indexed, and the worker is at what was not.
        expect(indexed).toBe(embedded);
        expect(api.held()).toBeGreaterThan(0);
        expect(embedded).toBeGreaterThanOrEqual(total * 0.7);
      },
      { timeout: 60_000 },
    );
    const before = await progressOf(system, user, id);
    await first.kill();
    wholeBatches = Number.POSITIVE_INFINITY;
    const second = await startWorkerProcess(system, system.env);
    try {
      const chunks = await expectWholeOnce(system, user, id);
      const again = [...api.embedded.values()].reduce((sum, times) => sum + times - 1, 0);
      // Two batches of a user are embedded at a time; of one that was kept nothing is done again.
      expect(again).toBeLessThanOrEqual(2 * 128);
      expect(chunks - before.embedded).toBeGreaterThan(0);
      expect(await system.search(user, `ruffword${total - 1}`)).not.toEqual([]);
    } finally {
      await second.kill();
    }
  } finally {
    await system.close();
    await api.stop();
  }
});

it('a service that answers 429 and 500 only makes it take longer, and nothing is embedded again', async () => {
  // Each request is refused twice before it is taken: more would be the job's to wait for.
  const refusals: Refusal[] = [
    { status: 429, headers: { 'retry-after-ms': '5' } },
    { status: 500, headers: { 'retry-after': '0' } },
  ];
  const api = await startEmbeddingsApi((n) => refusals[n % 3]);
  const system = await startKnowledgeSystem({ retryBaseMs: 20, env: api.env });
  try {
    const { user, id } = await uploadPages(system, 300, 'knotword');
    await expectWholeOnce(system, user, id);
    expect([...api.embedded.values()].filter((times) => times > 1)).toEqual([]);
    const made = api.embedded.size;
    const done = await reindex(system.app.ctx, {}, new AbortController().signal);
    expect(done.embedded).toBe(0);
    expect(api.embedded.size).toBe(made);
    await expectWholeOnce(system, user, id);
  } finally {
    await system.close();
    await api.stop();
  }
});

it('a key that is refused makes work wait, which says so and goes on by itself once it is mended', async () => {
  let refusal: Refusal;
  const api = await startEmbeddingsApi((_, body) => (body.includes('sandletter') ? { status: 403 } : refusal));
  const system = await startKnowledgeSystem({ env: api.env });
  try {
    const user = await system.app.registerUser({ role: 'power' });
    const known = await system.write(user, { content: 'The crakeletter.' });
    await system.settled(user, known.id);
    await system.idle();
    refusal = { status: 401 };
    const written = await Promise.all([1, 2].map((n) => system.write(user, { content: `The railword${n}.` })));
    const documentId = await makeDocument(system.app, user, { title: 'Waits', content: 'The cootletter.' });
    for (const { version } of written) {
      await eventually(async () => {
        const { body } = await system.app.request('GET', `/jobs/${version.jobId}`, { token: user.accessToken });
        expect(body).toMatchObject({ state: 'pending', error: { code: 'embedding_unauthorized' } });
      });
    }
    // What has its vectors needs no service.
    const again = await system.write(user, { content: 'The crakeletter.' });
    expect((await system.settled(user, again.id)).version.state).toBe('ready');
    const { database } = system.app.ctx;
    await eventually(async () => {
      const { rows } = await database.query<{ attempt: number }>(
        `SELECT attempt FROM jobs WHERE kind IN ('embed-chunks', 'index-document') AND state IN ('pending', 'queued', 'running')`,
      );
      expect(rows).toHaveLength(3);
      for (const { attempt } of rows) expect(attempt).toBeGreaterThan(1);
    });
    const failed = () => database.query('SELECT 1 FROM jobs WHERE failures > 0');
    expect((await failed()).rows).toEqual([]);

    refusal = undefined;
    for (const { id, version } of written) {
      expect((await system.settled(user, id)).version).toMatchObject({ state: 'ready', error: null });
      await eventually(async () => {
        const { body } = await system.app.request('GET', `/jobs/${version.jobId}`, { token: user.accessToken });
        expect(body).toMatchObject({ state: 'done', error: null });
      });
    }
    await eventually(async () => expect(await system.search(user, 'cootletter')).toMatchObject([{ documentId }]));

    // One text alone is refused, by a firewall perhaps: that is no outage for the others, and its job comes to an end.
    await system.write(user, { content: 'The sandletter.' });
    let n = 0;
    await eventually(async () => {
      const { id } = await system.write(user, { content: `The knotletter${(n += 1)}.` });
      expect((await system.settled(user, id)).version.state).toBe('ready');
      expect((await failed()).rows).toHaveLength(1);
    });
  } finally {
    await system.close();
    await api.stop();
  }
});

it('a vector store that is away for the whole of an ingestion only makes it wait', async () => {
  const qdrant = await ownQdrant();
  const system = await startKnowledgeSystem({ workers: 0, qdrantUrl: qdrant.url });
  try {
    await system.startWorker();
    await qdrant.stop();
    const { user, id } = await uploadPages(system, 300, 'dunlinword');
    await eventually(
      async () => {
        const { stage, chunks, embedded, indexed } = await progressOf(system, user, id);
        expect({ stage, embedded, indexed }).toEqual({ stage: 'indexing', embedded: chunks, indexed: 0 });
      },
      { timeout: 60_000 },
    );
    await qdrant.again();
    await expectWholeOnce(system, user, id);
    expect(await system.search(user, 'dunlinword299')).not.toEqual([]);
  } finally {
    await system.close();
    await qdrant.remove();
  }
});

it('a vector store that is wiped in the middle of an ingestion gets all of it', async () => {
  const qdrant = await ownQdrant();
  const system = await startKnowledgeSystem({ workers: 0, qdrantUrl: qdrant.url });
  try {
    const { user, id } = await uploadPages(system, 900, 'sanderword');
    await system.startWorker();
    const { vectors } = system.app.ctx;
    await eventually(
      async () => {
        const { chunks, indexed } = await progressOf(system, user, id);
        expect(indexed).toBeGreaterThan(0);
        expect(indexed).toBeLessThan(chunks);
      },
      { timeout: 60_000, interval: 5 },
    );
    for (const name of await vectors.collections()) await vectors.deleteCollection(name);
    await expectWholeOnce(system, user, id);
    expect(await system.search(user, 'sanderword0')).not.toEqual([]);
  } finally {
    await system.close();
    await qdrant.remove();
  }
});
