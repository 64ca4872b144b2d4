import type pg from 'pg';
import { wait } from '../clock.js';

/** Watches what is under way for one user, as the rows of Postgres say. */
export type ActiveWatch = {
  /** The most replies that were queued or running at once. */
  most(): number;
  samples(): number;
  /** Whether anything of the user is unfinished. */
  busy(): boolean;
  stop(): Promise<void>;
};

const everyMs = 10;

export function watchActive(sql: pg.Pool, userId: string): ActiveWatch {
  let most = 0;
  let samples = 0;
  let unfinished = 1;
  let stopped = false;

  async function look(): Promise<void> {
    while (!stopped) {
      const { rows } = await sql.query<{ active: number; unfinished: number }>({
        name: 'active-of-user',
        text: `SELECT count(*) FILTER (WHERE state IN ('queued', 'running'))::int AS active,
          (SELECT count(*)::int FROM (SELECT 1 FROM jobs WHERE user_id = $1 AND queue = 'replies'
            AND state = 'pending' LIMIT 1) AS waiting) AS unfinished
          FROM jobs WHERE user_id = $1 AND queue = 'replies' AND state IN ('queued', 'running')`,
        values: [userId],
      });
      most = Math.max(most, rows[0]?.active ?? 0);
      unfinished = (rows[0]?.active ?? 0) + (rows[0]?.unfinished ?? 0);
      samples += 1;
      await wait(everyMs);
    }
  }

  const looking = look();
  return {
    most: () => most,
    samples: () => samples,
    busy: () => unfinished > 0,
    async stop() {
      stopped = true;
      await looking;
    },
  };
}
