import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { MessageView } from '../../shared/realtime/events.js';
import type { TestUser } from '../support/app.js';
import { type EmbeddingsApi, type Refusal, startEmbeddingsApi } from '../support/embeddings-api.js';
import { eventually } from '../support/eventually.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

vi.setConfig({ testTimeout: 120_000 });

let refusal: Refusal;
let api: EmbeddingsApi;
let system: KnowledgeSystem;
let user: TestUser;
let entryId: string;

beforeAll(async () => {
  api = await startEmbeddingsApi(() => refusal);
  system = await startKnowledgeSystem({ env: api.env });
  user = await system.app.registerUser({ role: 'power' });
  for (const content of ['The gannet boiler runs on peat.', 'A fulmar organ has forty pipes.', 'Puffin tax is due.']) {
    const entry = await system.write(user, { title: 'Notes', content });
    entryId ??= entry.id;
    await system.settled(user, entry.id);
  }
});
afterAll(async () => {
  await system.close();
  await api.stop();
});

async function search(q: string, mode = 'hybrid') {
  const startedAt = performance.now();
  const query = new URLSearchParams({ q, mode }).toString();
  const { status, body } = await system.app.request('GET', `/knowledge/search?${query}`, { token: user.accessToken });
  return { status, body, milliseconds: performance.now() - startedAt };
}

async function ask(content: string): Promise<MessageView> {
  const { body: conversation } = await system.post(user, '/conversations', { title: 'Talk' });
  const { body } = await system.post(user, `/conversations/${conversation.id}/messages`, { content, reply: true });
  return system.ended(user, body.reply.id);
}

const requests = (): number => [...api.embedded.values()].reduce((sum, times) => sum + times, 0);

it('while the embeddings service is away searches and replies go by words, and say so; then by both again', async () => {
  expect((await search('gannet')).body).toMatchObject({ mode: 'hybrid' });
  refusal = 'hold';
  const first = await search('gannet boiler');
  expect(first).toMatchObject({ status: 200, body: { mode: 'sparse', items: [{ entryId }] } });
  expect(first.body.items).toHaveLength(1);
  expect(first.milliseconds).toBeLessThan(10_000);
  expect((await search('gannet boiler', 'sparse')).body).toEqual(first.body);

  const held = api.held();
  const next = await search('peat');
  expect(next.body).toMatchObject({ mode: 'sparse', items: [{ entryId }] });
  expect(next.milliseconds).toBeLessThan(2_500);
  expect(api.held()).toBe(held);
  // What was embedded before is searched as ever.
  expect((await search('gannet')).body).toMatchObject({ mode: 'hybrid' });

  const reply = await ask('What does the gannet boiler run on?');
  expect(reply).toMatchObject({ state: 'done', metadata: { knowledge: 'found', searchMode: 'sparse' } });
  expect(reply.citations.map((citation) => citation.entryId)).toEqual([entryId]);
  const none = await ask('Who mends the albatross?');
  expect(none).toMatchObject({ citations: [], metadata: { knowledge: 'nothing-found', searchMode: 'sparse' } });

  refusal = { status: 500 };
  expect((await search('gannet boiler', 'dense')).status).toBe(503);

  refusal = undefined;
  await eventually(async () => expect((await search('gannet boiler')).body.mode).toBe('hybrid'), { interval: 250 });
  expect((await search('gannet boiler')).body.items).toHaveLength(3);
  await eventually(
    async () => {
      const again = await ask('What does the gannet boiler run on?');
      expect(again.metadata).toMatchObject({ knowledge: 'found' });
      expect(again.metadata).not.toHaveProperty('searchMode');
    },
    { interval: 1_000 },
  );
});

it('a service that refuses the key leaves the words, until it takes it', async () => {
  refusal = { status: 401 };
  const before = requests();
  expect((await search('fulmar organ')).body).toMatchObject({ mode: 'sparse', items: [{}] });
  expect((await search('puffin tax')).body).toMatchObject({ mode: 'sparse', items: [{}] });
  expect((await search('puffin tax', 'dense')).status).toBe(503);
  expect(requests()).toBe(before);
  refusal = undefined;
  expect((await search('puffin tax')).body).toMatchObject({ mode: 'hybrid' });
});

it('a vector store that says nothing is waited for as long as anything else, and no longer', async () => {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(Math.min(ms, 300)));
  vi.spyOn(system.app.ctx.vectors, 'search').mockReturnValue(new Promise(() => {}));
  try {
    expect(await search('gannet boiler', 'sparse')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  } finally {
    vi.restoreAllMocks();
  }
  expect((await search('gannet boiler', 'sparse')).status).toBe(200);
});
