import { v7 as uuidv7 } from 'uuid';
import type { Sql } from '../database.js';
import { catalogue, type JobKind, type JobPayload, type QueueName } from '../jobs/index.js';

/** What belongs to a user's share of a queue: admission counts per lane. */
export type Lane = { queue: QueueName; userId: string };

export type NewJob<Kind extends JobKind> = {
  kind: Kind;
  payload: JobPayload<Kind>;
  /** Who asked: the job takes a place of theirs in the queue. */
  userId: string;
  /** The row that the job is about. */
  subjectId: string;
  /** Jobs with the same key run one after the other, in the order of acceptance. */
  orderKey?: string;
  /** Lower goes first within the user's lane; 0 unless told. */
  priority?: number;
};

/** Where a job has come, or a place has become free. Told to the dispatcher after the commit; if never, the sweep finds it. */
export type Ready = {
  lane: Lane;
  orderKey?: string;
};

/**
 * Accepts a job in the caller's transaction: a row, and nothing else. One with an order key begins blocked,
 * and the dispatcher unblocks the first of each key: whether others are before it cannot be known here,
 * where the transactions of others are not seen.
 */
export async function enqueue<Kind extends JobKind>(tx: Sql, job: NewJob<Kind>): Promise<{ id: string; ready: Ready }> {
  const contract = catalogue[job.kind];
  const id = uuidv7();
  await tx.query({
    name: 'enqueue-job',
    text: `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, order_key, blocked, priority)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7::text IS NOT NULL, $8)`,
    values: [
      id,
      job.kind,
      contract.queue,
      JSON.stringify(contract.payload.parse(job.payload)),
      job.userId,
      job.subjectId,
      job.orderKey ?? null,
      job.priority ?? 0,
    ],
  });
  return { id, ready: { lane: { queue: contract.queue, userId: job.userId }, orderKey: job.orderKey } };
}

/** Accepts many jobs of one kind in one statement; otherwise like {@link enqueue}. */
export async function enqueueAll<Kind extends JobKind>(
  tx: Sql,
  kind: Kind,
  jobs: readonly Omit<NewJob<Kind>, 'kind'>[],
): Promise<Ready[]> {
  const contract = catalogue[kind];
  if (jobs.length === 0) return [];
  await tx.query(
    `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, priority, order_key, blocked)
     SELECT job.id, $1, $2, job.payload, job.user_id, job.subject_id, job.priority, job.order_key, job.order_key IS NOT NULL
     FROM unnest($3::uuid[], $4::jsonb[], $5::uuid[], $6::uuid[], $7::smallint[], $8::text[])
       AS job (id, payload, user_id, subject_id, priority, order_key)`,
    [
      kind,
      contract.queue,
      jobs.map(() => uuidv7()),
      jobs.map(({ payload }) => JSON.stringify(contract.payload.parse(payload))),
      jobs.map(({ userId }) => userId),
      jobs.map(({ subjectId }) => subjectId),
      jobs.map(({ priority }) => priority ?? 0),
      jobs.map(({ orderKey }) => orderKey ?? null),
    ],
  );
  // Those with an order key are unblocked by the next sweep.
  return [...new Set(jobs.map(({ userId }) => userId))].map((userId) => ({ lane: { queue: contract.queue, userId } }));
}

/**
 * {@link enqueue} as a part of a statement that does more, where one more round trip counts.
 *
 * @param rows a query for `payload, user_id, subject_id, order_key, run_at`, with an order key in each.
 */
export function insertJobsSql(kind: JobKind, rows: string): string {
  return `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, order_key, blocked, run_at)
    SELECT gen_random_uuid(), '${kind}', '${catalogue[kind].queue}', payload, user_id, subject_id, order_key, true, run_at FROM (${rows}) AS job`;
}
