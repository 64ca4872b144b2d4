import { setTimeout as wait } from 'node:timers/promises';
import { isUnavailable } from '../shared/errors.js';

/** Between tries, in milliseconds. */
const retryMs = 200;

/**
 * Does `work` again for as long as Postgres is away: what an attempt has brought was paid for, and is not
 * thrown away for a restart of the database. Whether it still counts is decided then, by its claim.
 *
 * @param work may have been done although it failed: a connection can break between a commit and its answer.
 * @param stopping ends the tries: another process takes the job over.
 */
export async function untilReachable<T>(work: () => Promise<T>, stopping: () => boolean): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || stopping()) throw error;
      await wait(retryMs);
    }
  }
}
