import { expect, test, vi } from 'vitest';
import type { Sql } from '../database.js';
import { createLogger } from '../logger.js';
import { createAppender } from './appender.js';

/** Postgres, which fails at whatever `bad` finds among the senders of a statement. */
function databaseWith(bad: (senders: string[]) => Error | null) {
  const statements: string[][] = [];
  let seq = 0;
  const query = async ({ values: [, senders] }: { values: [string[], string[]] }) => {
    statements.push(senders);
    const error = bad(senders);
    if (error) throw error;
    return {
      rows: senders.map((_, at) => ({ n: at + 1, seq: (seq += 1), scheduledSeq: 0 })),
      rowCount: senders.length,
    };
  };
  return { database: { query } as unknown as Sql, statements };
}

function append(database: Sql, senders: string[]) {
  const publisher = { emit: vi.fn(async () => {}), control: async () => {} };
  const appender = createAppender({
    database,
    publisher,
    onDue() {},
    logger: createLogger({ level: 'silent', role: 'test' }),
  });
  const update = new Uint8Array([0, 0]);
  return Promise.allSettled(senders.map((userId) => appender.append({ documentId: 'd', userId, update })));
}

test('an edit at which Postgres fails takes only those with it that its sender made', async () => {
  const { database, statements } = databaseWith((senders) => (senders.includes('bad') ? new Error('no') : null));
  const answers = await append(database, ['a', 'bad', 'b', 'a', 'bad']);
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected']);
  expect(statements.slice(1)).toEqual([['a', 'a'], ['bad', 'bad'], ['b']]);
});

test('of a Postgres that is away nothing is asked again', async () => {
  const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
  const { database, statements } = databaseWith(() => away);
  const answers = await append(database, ['a', 'b']);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(statements).toHaveLength(1);
});
