import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../prisma/client/client.js';
import type { Config } from './config.js';
import type { Logger } from './logger.js';

/** What runs a statement: the pool, or one connection inside a transaction. */
export type Sql = {
  query<Row extends pg.QueryResultRow = Record<string, unknown>>(
    statement: string | Statement,
    values?: unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }>;
};

/** A statement with a name is prepared once per connection; hot paths give one. */
export type Statement = { name: string; text: string; values?: unknown[] };

/** One pool of connections to Postgres, seen through Prisma for ordinary reads and writes and through SQL for hot paths. */
export type Database = Sql & {
  prisma: PrismaClient;
  /**
   * Runs `work` in one transaction on one connection; an error rolls everything back. Statements that need not see
   * one another's answers may be sent together: Postgres runs them in the order in which they were sent.
   */
  transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T>;
  /**
   * Runs statements in one transaction that need none of one another's answers. They are sent at once, with its begin and
   * its end: one round trip instead of two.
   *
   * @returns the answers, in their order.
   */
  batch<Rows extends pg.QueryResultRow[]>(statements: { [Index in keyof Rows]: Statement }): Promise<{
    [Index in keyof Rows]: { rows: Rows[Index][] };
  }>;
  /** A connection of its own, for an advisory lock that outlives a transaction; release it. */
  connect(): Promise<pg.PoolClient>;
  close(): Promise<void>;
};

/** No transaction here waits for anything but Postgres: one that is silent for so long belongs to a stopped process. */
const idleInTransactionMs = 5_000;

type Settings = Omit<Config['database'], 'queryTimeoutMs' | 'jobQueryTimeoutMs'> & {
  /** How long a statement waits for its answer; when left out, as long as the connection lasts. */
  queryTimeoutMs?: number;
};

/** Opens the pool; connections are made when they are needed, so this works while Postgres is away. */
export function createDatabase(settings: Settings, logger: Logger): Database {
  const pool = new pg.Pool({
    connectionString: settings.url,
    max: settings.maxPoolSize,
    connectionTimeoutMillis: settings.poolTimeoutMs,
    ...(settings.queryTimeoutMs !== undefined && { query_timeout: settings.queryTimeoutMs }),
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    // Statements of a connection are sent without waiting for the answers of those before.
    pipeline: true,
    // A process that is paused in the middle of a transaction must not hold its row locks: others wait for them.
    idle_in_transaction_session_timeout: idleInTransactionMs,
    // What a connection has planned once it keeps until the table is analysed, a minute later at best, and the tables of
    // a new installation are empty: planned as cheapest to read from end to end they would be read so when they are long.
    // All that is asked often is found by an index.
    options: '-c enable_seqscan=off',
    application_name: 'millrace',
  });
  // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
  pool.on('error', (error) => logger.warn({ err: error }, 'an idle connection to Postgres broke'));
  // While one is in use nobody listens either, and the statements that follow tell of it by themselves.
  pool.on('connect', (client) => void client.on('error', () => {}));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });

  return {
    query: (statement, values) => pool.query(statement as string, values),
    prisma,
    connect: () => pool.connect(),
    async transaction(work) {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        // On its way with the first statement: a round trip less in every transaction.
        const begun = client.query('BEGIN');
        begun.catch(() => {});
        const result = await work({ query: (statement, values) => client.query(statement as string, values) });
        await begun;
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch((rollbackError: Error) => {
          broken = rollbackError;
        });
        throw error;
      } finally {
        // A connection that could not even roll back is thrown away: its state is unknown.
        client.release(broken);
      }
    },
    async batch<Rows extends pg.QueryResultRow[]>(statements: { [Index in keyof Rows]: Statement }) {
      const client = await pool.connect();
      const answers = await Promise.allSettled(['BEGIN', ...statements, 'COMMIT'].map((each) => client.query(each)));
      // After an error Postgres takes the end for a rollback, so that the connection is as good as before; unless it broke.
      const failed = answers.find((answer) => answer.status === 'rejected');
      client.release(answers.at(-1)?.status === 'rejected');
      if (failed) throw failed.reason;
      const results = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
      return results.slice(1, -1) as { [Index in keyof Rows]: pg.QueryResult<Rows[Index]> };
    },
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
