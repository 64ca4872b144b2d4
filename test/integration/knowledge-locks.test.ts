import { afterAll, beforeAll, expect, it } from 'vitest';
import { holdVersion } from '../../shared/knowledge/hold-version.js';
import { repairIndex } from '../../shared/knowledge/repair-index.js';
import type { TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

let system: KnowledgeSystem;
let admin: TestUser;

beforeAll(async () => {
  system = await startKnowledgeSystem();
  admin = await system.app.registerUser({ role: 'admin' });
});
afterAll(() => system.close());

it('an index that is made again meets work on several versions of an entry without a deadlock', async () => {
  const { database, vectors } = system.app.ctx;
  const { id } = await system.write(admin, { content: 'The first version.' });
  await system.settled(admin, id);
  expect((await system.post(admin, `/knowledge/${id}/approve`)).status).toBe(200);
  await system.app.request('PATCH', `/knowledge/${id}`, { token: admin.accessToken, body: { content: 'The second.' } });
  await system.settled(admin, id);
  await system.idle();
  // In the order in which a statement that changes all of them comes to them.
  const { rows } = await database.query<{ id: string }>(
    'SELECT id FROM knowledge_versions WHERE entry_id = $1 AND NOT isempty(indexed) ORDER BY ctid',
    [id],
  );
  expect(rows).toHaveLength(2);
  const [first, last] = rows.map((row) => row.id) as [string, string];
  const touch = 'UPDATE knowledge_versions SET page = page WHERE id = $1';
  const { repaired } = await database.transaction(async (tx) => {
    await holdVersion(tx, last);
    await tx.query(touch, [last]);
    for (const name of await vectors.collections()) await vectors.deleteCollection(name);
    const repairing = repairIndex({ database, vectors }).catch((error: unknown) => error);
    await eventually(async () => {
      const waiting = await database.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
           AND wait_event <> 'advisory' AND query LIKE '%knowledge_%'`,
      );
      expect(waiting.rowCount).toBeGreaterThan(0);
    });
    await tx.query(touch, [first]);
    return { repaired: repairing };
  });
  expect(await repaired).not.toBeInstanceOf(Error);
  await system.idle();
  await eventually(async () => expect(await system.search(admin, 'second')).toHaveLength(1));
});
