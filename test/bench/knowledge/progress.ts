import { wait } from '../clock.js';
import type { Stage } from '../stage/stage.js';

/** What became of a version, and when by the clock of Postgres, in epoch milliseconds. */
export type Settled = { versionId: string; ready: boolean; readyAt: number; chunks: number };

/** In milliseconds: often enough for a wait, too seldom to be felt. The second one looks at every version. */
const lookEveryMs = 100;
const surveyEveryMs = 500;
const silenceMs = 120_000;
const sayEveryMs = 10_000;

/** Waits until `count` is 0. @throws when it stays the same for two minutes; `what` says of what it is. */
async function untilNone(stage: Stage, what: string, everyMs: number, count: () => Promise<number>): Promise<void> {
  let left = Infinity;
  let changedAt = performance.now();
  let saidAt = performance.now();
  for (;;) {
    const now = await count();
    if (now === 0) return;
    if (now !== left) changedAt = performance.now();
    left = now;
    if (performance.now() - changedAt > silenceMs) throw new Error(`There are still ${left} ${what}.`);
    if (performance.now() - saidAt > sayEveryMs) {
      stage.say(`${left} ${what} left`);
      saidAt = performance.now();
    }
    await wait(everyMs);
  }
}

/** Waits until every version, or every one that somebody has made, can be searched or has failed. */
export function untilIndexed(stage: Stage, userId?: string): Promise<void> {
  return untilNone(stage, 'versions', lookEveryMs, async () => {
    const { rows } = await stage.sql.query<{ left: number }>({
      name: 'versions-left',
      text: `SELECT count(*)::int AS left FROM knowledge_versions
        WHERE state = 'ingesting' AND ($1::uuid IS NULL OR created_by = $1)`,
      values: [userId ?? null],
    });
    return rows[0]?.left ?? 0;
  });
}

/**
 * Waits until the index stays as it is: no job is left, and no point is weighed by an average length that has moved
 * on since, for which the workers look now and then.
 */
export function untilQuiet(stage: Stage): Promise<void> {
  return untilNone(stage, 'jobs and outdated versions', surveyEveryMs, async () => {
    const { rows } = await stage.sql.query<{ left: number }>({
      name: 'work-left',
      text: `WITH average AS (SELECT sum(term_count)::float8 / nullif(sum(chunk_count), 0) AS length FROM knowledge_versions)
        SELECT (SELECT count(*) FROM jobs WHERE state IN ('pending', 'queued', 'running'))::int
          + (SELECT count(*) FROM knowledge_versions, average
             WHERE state = 'ready' AND average_length NOT BETWEEN length / 1.1 AND length * 1.1)::int AS left`,
    });
    return rows[0]?.left ?? 0;
  });
}

/** What became of the versions that are there. */
export async function settledVersions(stage: Stage): Promise<Map<string, Settled>> {
  const { rows } = await stage.sql.query<Settled>(
    `SELECT id AS "versionId", state = 'ready' AS ready, chunk_count AS chunks,
       coalesce(extract(epoch FROM ready_at) * 1000, 0)::float8 AS "readyAt" FROM knowledge_versions`,
  );
  return new Map(rows.map((row) => [row.versionId, row]));
}
