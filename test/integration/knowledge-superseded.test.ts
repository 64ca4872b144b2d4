import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';
import type { TestUser } from '../support/app.js';

const sections = (count: number): string =>
  Array.from(
    { length: count },
    (_, n) => `# Part ${n}\n\n${`The slow word${n} of the first version. `.repeat(20)}`,
  ).join('\n\n');

const patient = { timeout: 90_000 };

/** Gives the entry a second version, which is ready before the first one has got past its part `heldAt`. */
async function overtake(system: KnowledgeSystem, user: TestUser, content: string, heldAt: string) {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await system.startWorker({
    wrap: (ctx) => ({
      ...ctx,
      embedder: {
        ...ctx.embedder,
        async embed(texts, kind, signal) {
          if (texts.some((text) => text.includes(heldAt))) await held;
          return ctx.embedder.embed(texts, kind, signal);
        },
      },
    }),
  });
  const first = await system.write(user, { content });
  await eventually(async () => {
    const { rows } = await system.app.ctx.database.query<{ there: boolean }>(
      `SELECT extracted AND (indexed @> int4range(0, 128) OR chunk_count < 128) AS there FROM knowledge_versions WHERE id = $1`,
      [first.version.id],
    );
    expect(rows[0]?.there).toBe(true);
  }, patient);
  const patched = await system.app.request('PATCH', `/knowledge/${first.id}`, {
    token: user.accessToken,
    body: { content: 'The quick secondletter.' },
  });
  expect(patched.status).toBe(202);
  await system.settled(user, first.id);
  await eventually(async () => expect(await system.search(user, 'secondletter')).toHaveLength(1), patient);
  release();
  return first;
}

it.each([
  ['a short text', 'The slow word0 of the first version.', 'word0'],
  ['a text of several batches', sections(200), 'word150'],
])(
  'a version that is overtaken by its successor ends all the same: %s',
  { timeout: 300_000 },
  async (_name, content, heldAt) => {
    const system = await startKnowledgeSystem({ workers: 0 });
    try {
      const user = await system.app.registerUser({ role: 'power' });
      const first = await overtake(system, user, content, heldAt);
      await eventually(async () => {
        const { body } = await system.app.request('GET', `/jobs/${first.version.jobId}`, { token: user.accessToken });
        expect(body).toMatchObject({ state: 'done', error: null });
      }, patient);
      await system.idle();
      const versions = await system.app.request('GET', `/knowledge/${first.id}/versions`, { token: user.accessToken });
      expect(versions.body.items.map(({ n, state }: { n: number; state: string }) => [n, state])).toEqual([
        [2, 'ready'],
        [1, 'ready'],
      ]);
      expect(await system.app.ctx.vectors.count()).toBe(1);
      expect(await system.search(user, 'slow')).toEqual([]);
    } finally {
      await system.close();
    }
  },
);
