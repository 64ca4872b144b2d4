import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { cancelIngestion } from '../../shared/knowledge/cancel-ingestion.js';
import type { Sql } from '../../shared/database.js';
import type { Answer, TestUser } from '../support/app.js';
import { type EmbeddingsApi, startEmbeddingsApi } from '../support/embeddings-api.js';
import { eventually } from '../support/eventually.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

vi.setConfig({ testTimeout: 120_000 });

let system: KnowledgeSystem;
let user: TestUser;
let api: EmbeddingsApi;
let refusal: { status: number } | 'hold' | undefined;

beforeAll(async () => {
  api = await startEmbeddingsApi(() => refusal);
  system = await startKnowledgeSystem({ workers: 0, env: api.env });
  user = await system.app.registerUser({ role: 'power' });
});
afterAll(async () => {
  await system.close();
  await api.stop();
});

const get = (path: string): Promise<Answer> => system.app.request('GET', path, { token: user.accessToken });

/** A gate that lets nobody pass until it is opened, and says when somebody stands before it. */
function closedGate() {
  let open = (): void => {};
  let reached = false;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return {
    open: () => open(),
    isReached: () => reached,
    pass: () => {
      reached = true;
      return opened;
    },
  };
}

const passages = (count: number): string =>
  Array.from({ length: count }, (_, n) => `Note ${n}. ${`Word${Math.random()} and more. `.repeat(60)}`).join('\n\n');

/** A worker whose job stands before a gate when it checks its claim for the n-th time. */
async function startHeldWorker(jobId: string, nth: number) {
  const gate = closedGate();
  let guards = 0;
  const held = (tx: Sql): Sql => ({
    async query(statement, values) {
      if (typeof statement === 'object' && statement.name === 'guard-claim' && statement.values?.[0] === jobId) {
        guards += 1;
        if (guards === nth) await gate.pass();
      }
      return tx.query(statement, values);
    },
  });
  const worker = await system.startWorker({
    wrap: (ctx) => ({
      ...ctx,
      database: { ...ctx.database, transaction: (work) => ctx.database.transaction((tx) => work(held(tx))) },
    }),
  });
  return { gate, worker };
}

it('a cancel that comes just before the last passages are stored is not forgotten', async () => {
  refusal = 'hold';
  const { body } = await system.upload(user, { name: 'notes.txt', bytes: passages(3) });
  const { gate, worker } = await startHeldWorker(body.jobId, 1);
  await eventually(() => expect(gate.isReached()).toBe(true), { timeout: 60_000 });
  const { id, version } = (await get(`/knowledge/${body.entry.id}`)).body;
  const cancelled = await system.app.ctx.database.transaction((tx) => cancelIngestion(tx, version.id));
  expect(cancelled?.root.state).toBe('running');
  gate.open();
  await eventually(async () => expect((await get(`/jobs/${body.jobId}`)).body.state).toBe('cancelled'));
  expect((await system.settled(user, id)).version.error).toMatchObject({ code: 'cancelled' });
  await worker.stop();
});

it('a version that fails while it is being read is read by one job at a time', async () => {
  refusal = { status: 400 };
  const { body } = await system.upload(user, { name: 'notes.txt', bytes: passages(300) });
  const { id } = body.entry;
  const { gate, worker } = await startHeldWorker(body.jobId, 2);
  await eventually(() => expect(gate.isReached()).toBe(true), { timeout: 60_000 });
  await eventually(async () => expect((await get(`/knowledge/${id}`)).body.version.state).toBe('failed'));
  refusal = undefined;
  const early = await system.post(user, `/knowledge/${id}/reingest`);
  gate.open();
  await eventually(async () => expect((await get(`/jobs/${body.jobId}`)).body.state).toBe('failed'));
  await eventually(async () => expect((await system.post(user, `/knowledge/${id}/reingest`)).status).toBe(202));
  const { version } = await system.settled(user, id);
  await system.idle();
  const { rows } = await system.app.ctx.database.query(
    `SELECT version.chunk_count = count(*) AS counted, version.term_count = sum(chunk.term_count) AS weighed
     FROM knowledge_versions AS version JOIN knowledge_chunks AS chunk ON chunk.version_id = version.id
     WHERE version.id = $1 GROUP BY version.id`,
    [version.id],
  );
  expect([early.status, version.state, rows]).toEqual([409, 'ready', [{ counted: true, weighed: true }]]);
  await worker.stop();
});

it('what an admin does with an entry is followed and taken back by its owner as well, and by no stranger', async () => {
  const [admin, stranger] = await Promise.all([
    system.app.registerUser({ role: 'admin' }),
    system.app.registerUser({ role: 'power' }),
  ]);
  const worker = await system.startWorker();
  const { id } = await system.write(user, { content: 'The pipitletter.' });
  await system.settled(user, id);
  refusal = 'hold';
  const body = { content: 'The wagtailletter.' };
  await system.app.request('PATCH', `/knowledge/${id}`, { token: admin.accessToken, body });
  const { jobId } = (await get(`/knowledge/${id}`)).body.version;
  expect((await get(`/jobs/${jobId}`)).body).toMatchObject({ id: jobId, kind: 'ingest-version' });
  const asStranger = { token: stranger.accessToken };
  expect((await system.app.request('GET', `/jobs/${jobId}`, asStranger)).status).toBe(404);
  expect((await system.app.request('POST', `/jobs/${jobId}/cancel`, asStranger)).status).toBe(404);
  await eventually(async () => {
    expect((await system.post(user, `/jobs/${jobId}/cancel`)).status).toBe(202);
    expect((await get(`/knowledge/${id}`)).body.version).toMatchObject({
      state: 'failed',
      error: { code: 'cancelled' },
    });
  });
  refusal = undefined;
  await worker.stop();
});
