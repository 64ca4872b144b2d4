import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Role } from '../../shared/accounts/principal.js';
import type { TestUser } from '../support/app.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

let system: KnowledgeSystem;
beforeAll(async () => {
  system = await startKnowledgeSystem({ workers: 2 });
});
afterAll(() => system.close());

/** Numbers that look random and are the same for the same seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Actor = TestUser & { role: Role };
/** What the test knows of an entry: the words of its versions, and which of them are ready and approved. */
type Known = { id: string; owner: Actor; words: string[]; ready: number; approved: number | null; deleted: boolean };

/** Which versions (from 1) a reader may see of an entry at this moment. */
function readable(reader: Actor, entry: Known): number[] {
  if (entry.deleted || reader.role === 'guest') return [];
  const manages = reader.role === 'admin' || (reader.role === 'power' && entry.owner === reader);
  if (manages) return entry.words.map((_, index) => index + 1);
  return entry.approved === null ? [] : [entry.approved];
}

describe.each([11, 23])('whatever happens (seed %i)', (seed) => {
  it('nobody is shown what they may not read, and what is approved is found', { timeout: 150_000 }, async () => {
    const random = randomFrom(seed);
    const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;
    const actors: Actor[] = [];
    for (const role of ['admin', 'power', 'power', 'regular', 'guest'] as const) {
      actors.push({ ...(await system.app.registerUser({ role })), role });
    }
    const admin = actors[0] as Actor;
    const entries: Known[] = [];
    let made = 0;
    const word = (): string => `secretword${seed}x${(made += 1)}`;
    const call = (actor: Actor, method: string, path: string, body?: object) =>
      system.app.request(method, path, { token: actor.accessToken, ...(body ? { body } : {}) });

    const steps: Record<string, () => Promise<void>> = {
      async create() {
        const owner = pick(actors.filter(({ role }) => role === 'power' || role === 'admin'));
        const words = [word()];
        const { id } = await system.write(owner, {
          title: 'Entry',
          content: `About ${words[0]} and the common matter.`,
        });
        await system.settled(owner, id);
        entries.push({ id, owner, words, ready: 1, approved: null, deleted: false });
      },
      async edit() {
        const entry = pick(entries.filter(({ deleted }) => !deleted));
        if (!entry) return;
        const next = word();
        const { status } = await call(admin, 'PATCH', `/knowledge/${entry.id}`, {
          content: `Now ${next} and the common matter.`,
        });
        expect(status).toBe(202);
        entry.words.push(next);
        await system.settled(admin, entry.id);
        entry.ready = entry.words.length;
      },
      async approve() {
        const entry = pick(entries.filter(({ deleted }) => !deleted));
        if (!entry) return;
        const { status } = await call(admin, 'POST', `/knowledge/${entry.id}/approve`);
        if (status === 200) entry.approved = entry.words.length;
        const reader = pick(actors.filter(({ role }) => role === 'regular'));
        if (!reader || entry.approved === null) return;
        const wanted = entry.words[entry.approved - 1] ?? '';
        await vi.waitFor(async () => expect(await system.search(reader, wanted)).toHaveLength(1), {
          timeout: 5_000,
          interval: 20,
        });
      },
      async reject() {
        const entry = pick(entries.filter(({ deleted }) => !deleted));
        if (!entry) return;
        const before = (await call(admin, 'GET', `/knowledge/${entry.id}`)).body.status;
        const { status } = await call(admin, 'POST', `/knowledge/${entry.id}/reject`, { reason: 'no' });
        if (status === 200 && before === 'approved') entry.approved = null;
      },
      async remove() {
        const entry = pick(entries.filter(({ deleted }) => !deleted));
        if (!entry || random(3) > 0) return;
        expect((await call(entry.owner, 'DELETE', `/knowledge/${entry.id}`)).status).toBeLessThan(500);
        entry.deleted = (await call(admin, 'GET', `/knowledge/${entry.id}`)).status === 404;
      },
      async demote() {
        const actor = pick(actors.slice(1));
        actor.role = pick(['power', 'regular', 'guest'] as const);
        await call(admin, 'PATCH', `/users/${actor.user.id}`, { role: actor.role });
      },
    };

    /** Nothing that the reader is given holds a word of a version that they may not see. */
    const check = async (): Promise<void> => {
      for (const reader of actors) {
        const answers = [
          await call(reader, 'GET', '/knowledge/search?q=common%20matter&limit=50'),
          await call(reader, 'GET', '/knowledge?limit=100'),
        ];
        for (const entry of entries) {
          const answer = await call(reader, 'GET', `/knowledge/${entry.id}`);
          expect(answer.status).toBe(readable(reader, entry).length > 0 ? 200 : 404);
          answers.push(answer);
        }
        const shown = JSON.stringify(answers.map(({ body }) => body));
        for (const entry of entries) {
          const allowed = readable(reader, entry);
          entry.words.forEach((text, index) => {
            if (!allowed.includes(index + 1))
              expect(shown, `${reader.role} of version ${index + 1}`).not.toMatch(new RegExp(`${text}\\b`));
          });
          if (allowed.length === 0) expect(shown).not.toContain(entry.id);
        }
      }
    };

    await steps.create?.();
    for (let step = 0; step < 25; step += 1) {
      await steps[pick(Object.keys(steps))]?.();
      await check();
    }
    await system.idle();
    await check();
    const { rows } = await system.app.ctx.database.query<{ n: string }>(
      'SELECT count(*) AS n FROM knowledge_entries WHERE deleted_at IS NOT NULL',
    );
    expect(Number(rows[0]?.n)).toBe(0);
  });
});
