import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { holdReaders } from '../../shared/conversations/readers.js';
import type { PassageRef } from '../../shared/knowledge/hit.js';
import { areStillReadable } from '../../shared/knowledge/retrieve.js';
import type { TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

let system: KnowledgeSystem;
let admin: TestUser;
let reader: TestUser;
let passage: Extract<PassageRef, { kind: 'entry' }>;
let conversationId: string;

beforeAll(async () => {
  system = await startKnowledgeSystem();
  admin = await system.app.registerUser({ role: 'admin' });
});
afterAll(() => system.close());

beforeEach(async () => {
  reader = await system.app.registerUser({ role: 'regular' });
  const entry = await system.write(admin, { content: 'The okapi vault opens with the seventh brass key.' });
  await system.settled(admin, entry.id);
  expect((await system.post(admin, `/knowledge/${entry.id}/approve`)).status).toBe(200);
  passage = { kind: 'entry', entryId: entry.id, versionId: entry.version.id, chunk: 0 };
  conversationId = (await system.post(reader, '/conversations', { title: 'Talk' })).body.id;
  // The jobs of the approval would wait for the same row.
  await system.idle();
});

/** Whether a reply that is saved while `change` is being committed may still use the passage. */
async function savedDuring(change: { statement: string; id: string }): Promise<boolean> {
  const { database } = system.app.ctx;
  let save: Promise<boolean> = Promise.resolve(true);
  await database.transaction(async (tx) => {
    await tx.query(change.statement, [change.id]);
    save = database.transaction(async (other) =>
      areStillReadable(other, await holdReaders(other, conversationId), [passage]),
    );
    await eventually(async () => {
      const { rows } = await database.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(1);
    });
  });
  return save;
}

it('a reply is not saved from a passage that is taken back at that moment', async () => {
  const statement = `UPDATE knowledge_entries SET status = 'rejected', approved_version = NULL WHERE id = $1`;
  expect(await savedDuring({ statement, id: passage.entryId })).toBe(false);
});

it('a reply is not saved for somebody whose role ends at that moment', async () => {
  const statement = `UPDATE users SET role = 'guest' WHERE id = $1`;
  expect(await savedDuring({ statement, id: reader.user.id })).toBe(false);
});
