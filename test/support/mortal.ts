import { createDispatcher } from '../../shared/backlog/dispatch.js';
import { always } from '../../shared/backlog/slots.js';
import type { Context } from '../../shared/context.js';
import type { Delivery } from '../../shared/backlog/run-queues.js';
import type { Database, Sql, Statement } from '../../shared/database.js';

/** Something that a process is about to do, or has just done, in a store. */
export type Step = { name: string; when: 'before' | 'after' };

/** What becomes of a process at a step. */
export type Mortal = {
  /** The context of a process that dies. */
  wrap(ctx: Context): Context;
  /** Resolves when it is dead: nothing that it began afterwards is done, nothing that it waits for comes. */
  died: Promise<void>;
  die(): void;
  /** Lets what the dead process waits for fail, so that it can be cleared away. */
  bury(): void;
};

/**
 * A process that dies between two steps. A step is named after its statement: `claim-job`, `COMMIT save-reply` (the
 * commit of the transaction whose last statement that was), `append started`, `append delta 1`, `append end`, `add`,
 * `emit job:done`.
 *
 * @param diesAt asked at every step, in order.
 * @param onDeath breaks the connections of the process.
 */
export function createMortal(diesAt: (step: Step) => boolean, onDeath: () => void): Mortal {
  let dead = false;
  let buried = false;
  const waiting = new Set<(error: Error) => void>();
  let tellDeath = (): void => {};
  const died = new Promise<void>((resolve) => (tellDeath = resolve));

  const silence = (): Promise<never> =>
    new Promise((_, reject) => {
      if (buried) reject(new Error('the process is dead'));
      else waiting.add(reject);
    });
  function die(): void {
    if (dead) return;
    dead = true;
    onDeath();
    tellDeath();
  }
  async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (!dead && diesAt({ name, when: 'before' })) die();
    if (dead) return silence();
    const result = await work().catch((error: unknown) => {
      if (dead) return silence();
      throw error;
    });
    if (!dead && diesAt({ name, when: 'after' })) die();
    return dead ? silence() : result;
  }

  const nameOf = (statement: string | Statement): string =>
    typeof statement === 'string' ? statement.trim().replace(/\s+/g, ' ').slice(0, 40) : statement.name;
  const mortalSql = (sql: Sql, onStatement: (name: string) => void = () => {}): Sql => ({
    query: (statement, values) => {
      onStatement(nameOf(statement));
      return step(nameOf(statement), () => sql.query(statement, values));
    },
  });
  const mortalDatabase = (database: Database): Database => ({
    ...database,
    ...mortalSql(database),
    async transaction(work) {
      const client = await database.connect();
      let last = '';
      try {
        await client.query('BEGIN');
        const sql: Sql = { query: (statement, values) => client.query(statement as string, values) };
        const result = await work(mortalSql(sql, (name) => (last = name)));
        await step(`COMMIT ${last}`, () => client.query('COMMIT'));
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {});
        throw error;
      } finally {
        client.release(dead);
      }
    },
    batch: (statements) => step(`COMMIT ${(statements as Statement[]).at(-1)?.name}`, () => database.batch(statements)),
  });

  return {
    died,
    die,
    bury() {
      buried = true;
      for (const reject of waiting) reject(new Error('the process is dead'));
    },
    wrap(ctx) {
      const database = mortalDatabase(ctx.database);
      const runQueues = { ...ctx.runQueues, add: (all: Delivery[]) => step('add', () => ctx.runQueues.add(all)) };
      const slots = { replies: always(ctx.config.replies.perUser) };
      const dispatcher = createDispatcher({ database, runQueues, slots, logger: ctx.logger });
      ctx.lifecycle.onClose('mortal dispatcher', () => dispatcher.close());
      return {
        ...ctx,
        database,
        runQueues,
        dispatcher,
        publisher: {
          ...ctx.publisher,
          emit: (room, event, payload, seq) =>
            step(`emit ${event}`, () => ctx.publisher.emit(room, event, payload, seq)),
        },
        replyLog: {
          append: (address, frame, announced) => {
            const name = frame.type === 'delta' ? `delta ${frame.seq}` : frame.type;
            return step(`append ${name}`, () => ctx.replyLog.append(address, frame, announced));
          },
        },
      };
    },
  };
}
