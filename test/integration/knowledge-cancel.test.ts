import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Answer, TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { type EmbeddingsApi, startEmbeddingsApi } from '../support/embeddings-api.js';
import { startKnowledgeSystem, type KnowledgeSystem } from '../support/knowledge.js';

vi.setConfig({ testTimeout: 60_000 });

let system: KnowledgeSystem;
let user: TestUser;
let api: EmbeddingsApi;
let holds = false;

beforeAll(async () => {
  api = await startEmbeddingsApi(() => (holds ? 'hold' : undefined));
  system = await startKnowledgeSystem({ workers: 0, env: api.env });
  user = await system.app.registerUser({ role: 'power' });
});
afterAll(async () => {
  await system.close();
  await api.stop();
});

const get = (path: string): Promise<Answer> => system.app.request('GET', path, { token: user.accessToken });

async function upload(paragraphs: number): Promise<{ id: string; jobId: string }> {
  const bytes = Array.from(
    { length: paragraphs },
    (_, n) => `Note ${n}. ${`Word${Math.random()} and more. `.repeat(60)}`,
  );
  const { body } = await system.upload(user, { name: 'notes.txt', bytes: bytes.join('\n\n') });
  return { id: body.entry.id, jobId: body.jobId };
}

async function jobOf(versionId: string, kind: string): Promise<{ id: string; state: string }> {
  const { rows } = await system.app.ctx.database.query<{ id: string; state: string }>(
    'SELECT id, state FROM jobs WHERE subject_id = $1 AND kind = $2 ORDER BY seq LIMIT 1',
    [versionId, kind],
  );
  return rows[0] ?? { id: '', state: '' };
}

/** The job and the version end as cancelled, and the owner can begin again. */
async function expectCancelled({ id, jobId }: { id: string; jobId: string }): Promise<void> {
  await eventually(async () => expect((await get(`/jobs/${jobId}`)).body.state).toBe('cancelled'));
  const { version } = await system.settled(user, id);
  expect(version).toMatchObject({ state: 'failed', error: { code: 'cancelled' } });
}

async function expectReadyAgain(id: string): Promise<void> {
  await eventually(async () => expect((await system.post(user, `/knowledge/${id}/reingest`)).status).toBe(202));
  await eventually(async () => expect((await system.settled(user, id)).version.state).toBe('ready'));
  await system.idle();
}

it('an ingestion that nobody has begun ends at once', async () => {
  const entry = await upload(1);
  expect((await system.post(user, `/jobs/${entry.jobId}/cancel`)).body.state).toBe('cancelled');
  await expectCancelled(entry);
});

it.each(['ingest-version', 'embed-chunks'] as const)(
  'one that waits for its vectors ends when %s is cancelled',
  async (kind) => {
    holds = true;
    const worker = await system.startWorker();
    const entry = await upload(20);
    await eventually(async () =>
      expect((await get(`/jobs/${entry.jobId}`)).body).toMatchObject({ state: 'pending', attempt: 1 }),
    );
    await eventually(() => expect(api.held()).toBeGreaterThan(0));
    const versionId = (await get(`/knowledge/${entry.id}`)).body.version.id;
    expect((await system.post(user, `/jobs/${(await jobOf(versionId, kind)).id}/cancel`)).status).toBe(202);
    await expectCancelled(entry);
    holds = false;
    await worker.stop();
    await system.startWorker().then(async (next) => {
      await expectReadyAgain(entry.id);
      await next.stop();
    });
  },
);

it('one that is being read ends when it is cancelled', async () => {
  const worker = await system.startWorker();
  const entry = await upload(6_000);
  await eventually(
    async () =>
      expect((await get(`/jobs/${entry.jobId}`)).body).toMatchObject({
        state: 'running',
        progress: { stage: 'reading' },
      }),
    { interval: 5 },
  );
  await system.post(user, `/jobs/${entry.jobId}/cancel`);
  await expectCancelled(entry);
  await system.idle();
  await eventually(async () => expect(await system.app.ctx.vectors.count()).toBe(await readyChunks()));
  await worker.stop();
});

async function readyChunks(): Promise<number> {
  const { rows } = await system.app.ctx.database.query<{ n: number }>(
    `SELECT coalesce(sum(chunk_count), 0)::int AS n FROM knowledge_versions WHERE state = 'ready'`,
  );
  return rows[0]?.n ?? 0;
}

it('an entry that is deleted on its way leaves nothing behind, and no job', async () => {
  holds = true;
  const worker = await system.startWorker();
  const entry = await upload(600);
  await eventually(() => expect(api.held()).toBeGreaterThan(0));
  const { database } = system.app.ctx;
  const versionId = (await get(`/knowledge/${entry.id}`)).body.version.id;
  expect((await system.app.request('DELETE', `/knowledge/${entry.id}`, { token: user.accessToken })).status).toBe(204);
  holds = false;
  await worker.stop();
  const next = await system.startWorker();
  await system.idle();
  for (const table of ['knowledge_versions WHERE id', 'knowledge_chunks WHERE version_id']) {
    expect((await database.query(`SELECT 1 FROM ${table} = $1`, [versionId])).rows).toEqual([]);
  }
  const { rows } = await database.query(
    'SELECT 1 FROM embeddings WHERE NOT EXISTS (SELECT 1 FROM knowledge_chunks AS chunk WHERE chunk.content_hash = embeddings.content_hash)',
  );
  expect(rows).toEqual([]);
  await next.stop();
});

it('an entry that is deleted when it was just read leaves no job that waits for ever', async () => {
  holds = true;
  let arrived = false;
  let tell = (): void => {};
  const told = new Promise<void>((resolve) => (tell = resolve));
  // Its passages are stored, and the job is about to wait for their vectors.
  const worker = await system.startWorker({
    wrap: (ctx) => ({
      ...ctx,
      publisher: {
        ...ctx.publisher,
        async emit(room, event, payload, seq) {
          if (JSON.stringify(payload).includes('"read":1')) {
            arrived = true;
            await told;
          }
          await ctx.publisher.emit(room, event, payload, seq);
        },
      },
    }),
  });
  const entry = await upload(1);
  await eventually(() => expect(arrived).toBe(true));
  expect((await system.app.request('DELETE', `/knowledge/${entry.id}`, { token: user.accessToken })).status).toBe(204);
  await eventually(async () => expect((await jobOf(entry.id, 'remove-vectors')).state).toBe('done'));
  tell();
  await eventually(async () => expect((await get(`/jobs/${entry.jobId}`)).body.state).toBe('done'));
  holds = false;
  await worker.stop();
  const next = await system.startWorker();
  await system.idle();
  await next.stop();
});
