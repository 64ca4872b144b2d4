import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KnowledgeHit } from '../../shared/knowledge/hit.js';
import { eventually } from '../support/eventually.js';
import type { TestUser } from '../support/app.js';
import { makeDocument } from '../support/documents.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

let system: KnowledgeSystem;
let admin: TestUser;
let power: TestUser;
let regular: TestUser;

beforeAll(async () => {
  system = await startKnowledgeSystem();
  admin = await system.app.registerUser({ role: 'admin' });
  power = await system.app.registerUser({ role: 'power' });
  regular = await system.app.registerUser({ role: 'regular' });
});
afterAll(() => system.close());

const call = (user: TestUser, method: string, path: string, body: object) =>
  system.app.request(method, path, { token: user.accessToken, body });

const found = (reader: TestUser, q: string, count = 1): Promise<KnowledgeHit[]> =>
  eventually(
    async () => {
      const hits = await system.search(reader, q);
      expect(hits).toHaveLength(count);
      return hits;
    },
    { timeout: 10_000 },
  );

const embeddings = async (): Promise<unknown[]> =>
  (await system.app.ctx.database.query('SELECT model, content_hash, xmin::text FROM embeddings ORDER BY 1, 2')).rows;

it('an entry is found by its title, by others once it is approved, and never by who may not read it', async () => {
  const { id } = await system.write(power, { title: 'Wombatvalve handbook', content: 'Nothing of it is said here.' });
  await system.settled(power, id);
  expect(await system.search(power, 'wombatvalves')).toMatchObject([{ entryId: id, title: 'Wombatvalve handbook' }]);
  expect(await system.search(regular, 'wombatvalve')).toEqual([]);
  await call(power, 'PATCH', `/knowledge/${id}`, { title: 'Dingovalve handbook' });
  await found(power, 'dingovalve');
  expect(await system.search(regular, 'dingovalve')).toEqual([]);
  await system.post(admin, `/knowledge/${id}/approve`);
  await found(regular, 'dingovalve');
  await call(admin, 'POST', `/knowledge/${id}/reject`, { reason: 'Not yet.' });
  expect(await system.search(regular, 'dingovalve')).toEqual([]);
});

it('a changed title leads to every passage of an entry, the old one to none, and no text is embedded again', async () => {
  const content = Array.from({ length: 4 }, (_, n) => `# Part ${n}\n\n${`Sentence ${n} says little. `.repeat(60)}`);
  const { id } = await system.write(power, { title: 'Quollmotor', content: content.join('\n\n') });
  await system.settled(power, id);
  await system.post(admin, `/knowledge/${id}/approve`);
  await found(regular, 'quollmotor', 3);
  await system.idle();
  const before = await embeddings();

  await call(power, 'PATCH', `/knowledge/${id}`, { title: 'Numbatmotor' });
  expect((await found(regular, 'numbatmotor', 3))[0]).toMatchObject({ title: 'Numbatmotor' });
  await found(regular, 'quollmotor', 0);
  await system.idle();
  expect(await embeddings()).toEqual(before);
  const { rows } = await system.app.ctx.database.query(
    `SELECT count(*)::int AS n FROM jobs WHERE kind = 'embed-chunks' AND subject_id IN (
       SELECT id FROM knowledge_versions WHERE entry_id = $1)`,
    [id],
  );
  expect(rows).toEqual([{ n: 1 }]);
});

it('an entry that is renamed while it is read is found by its new title', async () => {
  const { id } = await system.write(power, { title: 'Bilbypump', content: 'Water goes up. '.repeat(2_000) });
  await call(power, 'PATCH', `/knowledge/${id}`, { title: 'Kowaripump' });
  await system.settled(power, id);
  await found(power, 'kowaripump', 3);
  await found(power, 'bilbypump', 0);
});

it('a document is found by its title, and by the next one, by those who may read it', async () => {
  const id = await makeDocument(system.app, power, { title: 'Potoroonotes', content: 'Nothing is said here.' });
  await found(power, 'potoroonotes');
  await call(power, 'PATCH', `/documents/${id}`, { title: 'Bettongnotes' });
  expect(await found(power, 'bettongnotes')).toMatchObject([{ kind: 'document', documentId: id }]);
  await found(power, 'potoroonotes', 0);
  expect(await system.search(admin, 'bettongnotes')).toEqual([]);
  expect(await system.search(regular, 'bettongnotes')).toEqual([]);
});
