import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { claimJob, finishJob, guardClaim, renewLeases } from '../../shared/backlog/claim.js';
import { createDispatcher, type Dispatcher } from '../../shared/backlog/dispatch.js';
import type { Delivery, RunQueues } from '../../shared/backlog/run-queues.js';
import { listConversations } from '../../shared/conversations/conversation.js';
import { beginReply } from '../../shared/conversations/reply.js';
import { postMessage } from '../../shared/conversations/post-message.js';
import { createDatabase, type Database } from '../../shared/database.js';
import { createDocument } from '../../shared/documents/document.js';
import { listSuggestions } from '../../shared/documents/suggestion.js';
import { findWithoutVector, keepVectors } from '../../shared/knowledge/embeddings.js';
import { createLogger } from '../../shared/logger.js';
import { testDatabase } from '../support/stack.js';

// A connection keeps the plans that it made when the tables were empty, until Postgres analyses them: nothing that is
// done for each message or passage may read all there are by such a plan.

const logger = createLogger({ level: 'silent', role: 'test' });
const user = randomUUID();
const other = randomUUID();
const many = 3_000;

let database: Database;
let dispatcher: Dispatcher;
let drop: () => Promise<void>;
const delivered: Delivery[] = [];

beforeAll(async () => {
  const made = await testDatabase();
  drop = made.drop;
  // One connection, which makes all plans and keeps them.
  database = createDatabase({ url: made.url, maxPoolSize: 1, poolTimeoutMs: 5_000 }, logger);
  await database.query('ALTER TABLE jobs SET (autovacuum_enabled = off)');
  await database.query('ALTER TABLE embeddings SET (autovacuum_enabled = off)');
  const runQueues: Pick<RunQueues, 'isReady' | 'add'> = {
    isReady: () => true,
    add: async (deliveries) => void delivered.push(...deliveries),
  };
  dispatcher = createDispatcher({ database, runQueues: runQueues as RunQueues, slots: {}, logger });
  for (const id of [user, other]) {
    await database.query(
      `INSERT INTO users (id, email, name, password_hash, role) VALUES ($1, $2, 'A', '', 'regular')`,
      [id, `${id}@example.com`],
    );
  }
});
afterAll(async () => {
  await dispatcher.close();
  await database.close();
  await drop();
});

/** Rows of the table that were read so far, by an index or without. */
async function rowsRead(table: string): Promise<number> {
  await database.query('SELECT pg_stat_force_next_flush()');
  const { rows } = await database.query<{ read: number }>(
    `SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS read FROM pg_stat_user_tables WHERE relname = $1`,
    [table],
  );
  return rows[0]?.read ?? NaN;
}

async function replyOnce(): Promise<void> {
  const conversationId = randomUUID();
  await database.query(`INSERT INTO conversations (id, owner_id, title) VALUES ($1, $2, '')`, [conversationId, user]);
  await database.query('INSERT INTO conversation_members (conversation_id, user_id) VALUES ($1, $2)', [
    conversationId,
    user,
  ]);
  // The second waits behind the first one, and is let go when that has ended.
  for (const content of ['one', 'two']) {
    const posted = await postMessage(database, { conversationId, authorId: user, content, reply: true });
    if (posted.ready) dispatcher.kick(posted.ready);
  }
  for (let ended = 0; ended < 2; ended += 1) {
    await dispatcher.settled();
    const delivery = delivered.splice(0).find(({ userId }) => userId === user);
    const claim = delivery && (await claimJob(database, delivery));
    if (!claim) throw new Error('Nothing was dispatched.');
    await renewLeases(database, [claim]);
    await database.transaction((tx) => guardClaim(tx, claim));
    expect(await beginReply(database, claim.subjectId, claim)).not.toBeNull();
    dispatcher.kick(await finishJob(database, claim, { state: 'done' }));
  }
  await dispatcher.settled();
}

it('a reply reads the jobs that are its business, not those of a user who has thousands', async () => {
  for (let count = 0; count < 8; count += 1) await replyOnce();
  await database.query(
    `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, order_key, blocked)
     SELECT gen_random_uuid(), 'reply-to-message', 'replies', '{}', $1, gen_random_uuid(), 'c' || n % 2000, n > 2000
     FROM generate_series(1, $2::int) AS n`,
    [other, many],
  );
  const before = await rowsRead('jobs');
  await replyOnce();
  expect((await rowsRead('jobs')) - before).toBeLessThan(100);
});

it('the list of conversations reads those of its page, and what others have shared', async () => {
  await database.query(
    `WITH made AS (
       INSERT INTO conversations (id, owner_id, title, last_message_at)
       SELECT gen_random_uuid(), $1, n::text, now() - n * interval '1 second' FROM generate_series(1, $2::int) AS n RETURNING id
     ) INSERT INTO conversation_members (conversation_id, user_id, owns) SELECT id, $1, true FROM made`,
    [other, many],
  );
  // Planned anew each time: what counts is what Postgres knows of the table by then.
  await database.query('ANALYZE conversations, conversation_members');
  const page = () => listConversations(database, { userId: other, limit: 20, after: null });
  const before = await rowsRead('conversations');
  expect((await page()).map(({ title }) => title)).toEqual(Array.from({ length: 20 }, (_, n) => String(n + 1)));
  expect((await rowsRead('conversations')) - before).toBeLessThan(50);
  // As an earlier release writes it down: it is found once.
  await database.query('UPDATE conversation_members SET owns = false WHERE user_id = $1', [other]);
  expect(new Set((await page()).map(({ id }) => id)).size).toBe(20);
});

it('a passage is looked up among the vectors by its text', async () => {
  const versionId = randomUUID();
  const model = { model: 'model', size: 2 };
  // Passages of no version at all: foreign keys are not looked at.
  await database.query('SET session_replication_role = replica');
  await database.query(
    `INSERT INTO knowledge_chunks (version_id, index, text, heading_path, char_start, char_end, language, content_hash, term_count)
     SELECT $1, n, n::text, '{}', 0, 1, 'en', sha256(n::text::bytea), 1 FROM generate_series(0, 9) AS n`,
    [versionId],
  );
  const ask = () => findWithoutVector(database, { versionId, from: 0, to: 10 }, model);
  await keepVectors(database, 'model', [{ hash: Buffer.alloc(32), vector: new Float32Array(2) }]);
  for (let count = 0; count < 8; count += 1) await ask();
  await database.query(
    `INSERT INTO embeddings (model, content_hash, vector)
     SELECT 'model', sha256(('other' || n)::bytea), $1 FROM generate_series(1, $2::int) AS n`,
    [Buffer.alloc(8), many],
  );
  const before = await rowsRead('embeddings');
  expect(await ask()).toHaveLength(10);
  expect((await rowsRead('embeddings')) - before).toBeLessThan(50);
});

it('a page of the suggestions of a document reads those of the page', async () => {
  const make = async (from: number, count: number) => {
    const { id } = await createDocument(database, { ownerId: user, title: 'Often rewritten' });
    await database.query(
      `INSERT INTO document_suggestions (id, document_id, user_id, job_id, instruction, base_state, range_start, range_end)
       SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $1, $2, gen_random_uuid(), '', '', 0, 0
       FROM generate_series($3::int, $3::int + $4::int - 1) AS n`,
      [id, user, from, count],
    );
    return id;
  };
  const documentId = await make(0, 300);
  await make(300, many);
  await database.query('ANALYZE document_suggestions');
  const before = await rowsRead('document_suggestions');
  const newest = await listSuggestions(database, { documentId, limit: 10, before: null });
  expect(newest[9]?.id.slice(-4)).toBe('0290');
  const older = await listSuggestions(database, { documentId, limit: 10, before: newest[9]?.id ?? null });
  expect(older[0]?.id.slice(-4)).toBe('0289');
  const old = await listSuggestions(database, {
    documentId,
    limit: 10,
    before: older[0]?.id.replace(/.{4}$/, '0100') ?? null,
  });
  expect(old[0]?.id.slice(-4)).toBe('0099');
  expect((await rowsRead('document_suggestions')) - before).toBeLessThan(100);
});
