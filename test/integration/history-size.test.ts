import { afterAll, beforeAll, expect, it } from 'vitest';
import { deleteConversation } from '../../shared/conversations/conversation.js';
import { conversationOrderKey } from '../../shared/conversations/post-message.js';
import type { Sql, Statement } from '../../shared/database.js';
import { deleteDocument } from '../../shared/documents/document.js';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';

let app: TestApp;
let user: TestUser;
beforeAll(async () => {
  app = await startTestApp();
  user = await app.registerUser();
});
afterAll(() => app.close());

/**
 * Does `work`, and answers which tables were read as a whole although that was forbidden: there is no index for what
 * is asked of them.
 */
async function readWhole(work: (tx: Sql) => Promise<unknown>): Promise<string[]> {
  const tables: string[] = [];
  await app.ctx.database.transaction(async (tx) => {
    await tx.query('SET LOCAL enable_seqscan = off');
    const explained: Sql = {
      async query<Row extends Record<string, unknown>>(statement: string | Statement, values?: unknown[]) {
        const text = typeof statement === 'string' ? statement : statement.text;
        const given = typeof statement === 'string' ? values : (statement.values ?? values);
        const { rows } = await tx.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, given);
        tables.push(...rows.flatMap((row) => /Seq Scan on (\w+)/.exec(row['QUERY PLAN'])?.[1] ?? []));
        return tx.query<Row>(statement, values);
      },
    };
    await work(explained);
  });
  return tables;
}

const create = async (path: string): Promise<string> =>
  (await app.request('POST', path, { token: user.accessToken, body: { title: 'T' } })).body.id;

it('a conversation is deleted without reading the history of all jobs', async () => {
  const id = await create('/conversations');
  const post = { token: user.accessToken, body: { content: 'Hello' } };
  const posted = [
    await app.request('POST', `/conversations/${id}/messages`, post),
    await app.request('POST', `/conversations/${id}/messages`, post),
  ];
  const where = { id, userId: user.user.id, orderKey: conversationOrderKey(id) };
  expect(await readWhole((tx) => deleteConversation(tx, where))).toEqual([]);
  for (const { body } of posted) {
    const job = await app.request('GET', `/jobs/${body.jobId}`, { token: user.accessToken });
    expect(job.body.state).toBe('cancelled');
  }
});

it('a document is deleted without reading the history of all jobs', async () => {
  const id = await create('/documents');
  expect(await readWhole((tx) => deleteDocument(tx, { id, userId: user.user.id }))).toEqual([]);
});
