import type { Sql, Statement } from '../database.js';
import { withTimeout } from '../lifecycle.js';
import { queueNames } from '../jobs/index.js';
import type { BacklogSize } from '../metrics.js';

const states = ['pending', 'queued', 'running'] as const;

/** In milliseconds: for so long an answer is used again, so that many scrapers ask Postgres as often as one. */
const maxAgeMs = 1_000;
const timeoutMs = 1_000;

/**
 * Reads the sizes of all backlogs, of empty ones too: a series that comes and goes makes bad graphs.
 *
 * @returns a function that answers within a second, with null while Postgres is away.
 */
export function createBacklogReader(sql: Sql): () => Promise<BacklogSize[] | null> {
  let current: { answer: Promise<BacklogSize[] | null>; since: number } | null = null;
  return () => {
    if (!current || performance.now() - current.since > maxAgeMs) {
      const answer = withTimeout(readSizes(sql), timeoutMs, 'reading the backlog').catch(() => null);
      current = { answer, since: performance.now() };
    }
    return current.answer;
  };
}

async function readSizes(sql: Sql): Promise<BacklogSize[]> {
  const { rows } = await sql.query<BacklogSize>(sizes);
  const found = new Map(rows.map((row) => [`${row.queue} ${row.state}`, row]));
  return queueNames.flatMap((queue) =>
    states.map((state) => found.get(`${queue} ${state}`) ?? { queue, state, count: 0, oldestSeconds: 0 }),
  );
}

/** Each half has the condition of a partial index, so that the history is not read, however long it is. */
const sizes: Statement & { query_timeout: number } = {
  name: 'backlog-sizes',
  query_timeout: timeoutMs,
  text: `
SELECT queue, state, count(*)::int AS count,
  greatest(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "oldestSeconds"
FROM jobs WHERE state = 'pending' GROUP BY queue, state
UNION ALL
SELECT queue, state, count(*)::int, greatest(extract(epoch FROM now() - min(created_at)), 0)::float8
FROM jobs WHERE state IN ('queued', 'running') GROUP BY queue, state`,
};
