import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deleteUsedRefreshTokens } from '../../shared/accounts/sessions.js';
import { deleteFinishedJobs } from '../../shared/backlog/history.js';
import { listConversations } from '../../shared/conversations/conversation.js';
import type { Database, Sql } from '../../shared/database.js';
import { resumeDocuments } from '../../shared/knowledge/documents/ask.js';
import { testDatabase } from '../support/stack.js';

// What looks for a few rows must not read all there are: neither every hour nor at a request.

const database = await testDatabase();
const client = new pg.Client({ connectionString: database.url });
const batch = 1_000;
const owner = '00000000-0000-7000-8000-000000000001';
const other = '00000000-0000-7000-8000-000000000002';

beforeAll(async () => {
  await client.connect();
  for (const statement of filling) await client.query(statement);
  // An index alone answers only for rows that are known to be seen by all.
  await client.query('VACUUM ANALYZE');
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const rows = 20_000;
/** The same for the same number and letter. */
const id = (letter: string, number = 'n'): string => `md5('${letter}' || ${number})::uuid`;

const filling = [
  `INSERT INTO users (id, email, name, password_hash, role) VALUES
     ('${owner}', 'a@example.com', 'A', '', 'regular'), ('${other}', 'b@example.com', 'B', '', 'regular')`,
  // Jobs that index documents all ended within the last day, and the others within the last month.
  `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, state, finished_at)
     SELECT ${id('job')}, CASE WHEN n % 3 = 0 THEN 'index-document' ELSE 'reply-to-message' END, 'replies', '{}', '${owner}',
       ${id('subject')}, 'done', now() - n * CASE WHEN n % 3 = 0 THEN interval '4 seconds' ELSE interval '2 minutes' END
     FROM generate_series(1, ${rows}) AS n`,
  `INSERT INTO sessions (id, user_id, expires_at) VALUES (${id('session', '1')}, '${owner}', now() + interval '1 day')`,
  `INSERT INTO refresh_tokens (id, session_id, token_hash, used_at)
     SELECT ${id('token')}, ${id('session', '1')}, n::text::bytea, now() - n * interval '2 minutes'
     FROM generate_series(1, ${rows}) AS n`,
  `INSERT INTO documents (id, owner_id, title) SELECT ${id('document')}, '${owner}', '' FROM generate_series(1, 10000) AS n`,
  `INSERT INTO indexed_documents (document_id, seq, chunk_count, term_count) SELECT id, 1, 2, 2 FROM documents
     UNION ALL SELECT ${id('deleted', '1')}, 1, 0, 0`,
  `INSERT INTO document_chunks (id, document_id, index, text, heading_path, char_start, char_end, content_hash, term_count, indexed_at)
     SELECT ${id('chunk')}, ${id('document', '1 + n % 10000')}, n / 10000, '', '{}', 0, 0, sha256(n::text::bytea), 1, now()
     FROM generate_series(0, ${rows} - 1) AS n`,
  `INSERT INTO conversations (id, owner_id, title)
     SELECT ${id('conversation')}, CASE WHEN n % 40 = 0 THEN '${owner}' ELSE '${other}' END::uuid, '' FROM generate_series(1, ${rows}) AS n`,
  `INSERT INTO conversation_members (conversation_id, user_id) SELECT id, owner_id FROM conversations`,
];

type Plan = { 'Relation Name'?: string; 'Actual Rows': number; 'Actual Loops': number; Plans?: Plan[] } & Record<
  string,
  unknown
>;

/** Rows of each table that were read, with those that were dropped at once; an index alone reads none. */
function rowsRead(plan: Plan, read: Map<string, number>): Map<string, number> {
  const table = plan['Relation Name'];
  if (table && plan['Node Type'] !== 'ModifyTable' && plan['Node Type'] !== 'Index Only Scan') {
    const dropped = Number(plan['Rows Removed by Filter'] ?? 0);
    read.set(table, (read.get(table) ?? 0) + (plan['Actual Rows'] + dropped) * plan['Actual Loops']);
  }
  for (const part of plan.Plans ?? []) rowsRead(part, read);
  return read;
}

/** Answers every statement with nothing, and counts what it reads. */
function countReads(): { sql: Sql & Pick<Database, 'transaction'>; read: Map<string, number> } {
  const read = new Map<string, number>();
  const sql = {
    async query(statement: string, values?: unknown[]) {
      const { rows: plans } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`, values);
      rowsRead(plans[0]['QUERY PLAN'][0].Plan, read);
      return { rows: [], rowCount: 0 };
    },
  } as Sql;
  return { read, sql: { ...sql, transaction: (work) => work(sql) } };
}

const asIs: string[] = [];
/** Tables of millions of rows are neither sorted nor hashed on the way, as these may be. */
const asIfLarge = ['enable_sort', 'enable_hashjoin'];

it.each<[string, string, string[], (sql: Sql) => Promise<unknown>]>([
  ['finished jobs that nobody asks for any more', 'jobs', asIs, (sql) => deleteFinishedJobs(sql, batch)],
  ['used refresh tokens', 'refresh_tokens', asIs, (sql) => deleteUsedRefreshTokens(sql, 30 * 86_400, batch)],
  ['what is left of documents', 'jobs', asIfLarge, (sql) => resumeDocuments(sql as Database)],
  [
    'the conversations of a member',
    'conversations',
    asIs,
    (sql) => listConversations(sql, { userId: owner, limit: 50, after: null }),
  ],
])('looks for %s without reading all of %s', async (_what, table, avoided, work) => {
  const { sql, read } = countReads();
  for (const way of avoided) await client.query(`SET ${way} = off`);
  await work(sql);
  await client.query('RESET ALL');
  expect(read.get(table) ?? 0).toBeLessThan(rows / 20);
});
