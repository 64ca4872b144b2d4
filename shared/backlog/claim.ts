import type { Sql } from '../database.js';
import { ClaimLost } from '../errors.js';
import type { Lane, Ready } from './enqueue.js';

/**
 * How long a claim holds without being renewed. Renewed every second: three renewals may be missed (a
 * pause of the process, a slow database) before another worker takes over.
 */
export const leaseSeconds = 4;

/**
 * How long Postgres may be silent about a statement by primary key, in milliseconds. The connection is given up
 * then: on one whose other end has gone without a word a statement would wait for minutes.
 */
const silenceMs = (leaseSeconds * 1_000) / 2;

/** What is cancelled goes first, whatever it was waiting for: its next attempt only keeps what there is. */
export const cancelledPriority = -1;

/** A row as the attempt sees it that has claimed it. */
export type ClaimedJob = {
  id: string;
  kind: string;
  queue: Lane['queue'];
  payload: unknown;
  userId: string;
  subjectId: string;
  attempt: number;
  failures: number;
  cancelRequested: boolean;
  /** Between being ready to run and being claimed, in milliseconds. */
  waitedMs: number;
};

/** Which attempt of which job does something. */
export type Claim = { id: string; attempt: number };

/**
 * Claims a delivery: the row decides, not BullMQ, which may hand out the same delivery twice or one that is
 * out of date.
 *
 * @returns null when the delivery is not the current one or was claimed before: drop it.
 */
export async function claimJob(sql: Sql, delivery: { id: string; delivery: number }): Promise<ClaimedJob | null> {
  const { rows } = await sql.query<ClaimedJob>({ ...claimStatement, values: [delivery.id, delivery.delivery] });
  return rows[0] ?? null;
}

/**
 * A cancel was asked for; or the owner was disabled, whose replies and edits nobody is to pay for any more. These are
 * cancelled then, but for what was accepted in the same moment.
 */
const cancelRequested = `(cancel_requested_at IS NOT NULL OR (queue = 'replies' AND EXISTS (
    SELECT 1 FROM users WHERE users.id = jobs.user_id AND users.disabled_at IS NOT NULL)))`;

const claimStatement = {
  name: 'claim-job',
  query_timeout: silenceMs,
  text: `
UPDATE jobs SET state = 'running', attempt = attempt + 1, lease_until = now() + interval '${leaseSeconds} seconds',
  started_at = coalesce(started_at, now())
WHERE id = $1 AND delivery = $2 AND state = 'queued'
RETURNING id, kind, queue, payload, user_id AS "userId", subject_id AS "subjectId", attempt, failures,
  ${cancelRequested} AS "cancelRequested",
  (extract(epoch FROM now() - greatest(run_at, created_at)) * 1000)::float8 AS "waitedMs"`,
};

/** What {@link guardClaim} asks, for a statement that writes in the same round trip. Without a row the claim is lost. */
export const guardSql = (id: string, attempt: string): string =>
  `SELECT 1 FROM jobs WHERE id = ${id} AND attempt = ${attempt} AND state = 'running' FOR UPDATE`;

/**
 * Locks the row until the end of the transaction, so that what is written in it counts only if this attempt
 * still holds the job when it commits.
 *
 * @throws {ClaimLost}
 */
export async function guardClaim(tx: Sql, claim: Claim): Promise<void> {
  const { rowCount } = await tx.query({
    name: 'guard-claim',
    text: guardSql('$1', '$2'),
    values: [claim.id, claim.attempt],
  });
  if (rowCount !== 1) throw new ClaimLost();
}

/** Renews the leases of many claims at once. @returns for each claim that still holds whether its cancel was asked for. */
export async function renewLeases(sql: Sql, claims: Claim[]): Promise<Map<string, { cancelRequested: boolean }>> {
  const { rows } = await sql.query<{ id: string; cancelRequested: boolean }>({
    ...renewStatement,
    values: [claims.map(({ id }) => id), claims.map(({ attempt }) => attempt)],
  });
  return new Map(rows.map(({ id, cancelRequested }) => [id, { cancelRequested }]));
}

const renewStatement = {
  name: 'renew-leases',
  query_timeout: silenceMs,
  text: `
UPDATE jobs SET lease_until = now() + interval '${leaseSeconds} seconds'
WHERE id = ANY($1::uuid[]) AND attempt = ($2::int[])[array_position($1::uuid[], id)] AND state = 'running'
RETURNING id, ${cancelRequested} AS "cancelRequested"`,
};

/** How an attempt ended. */
export type Outcome =
  | { state: 'done' }
  | { state: 'cancelled' }
  /** `ofRequest`: see JobFailure. */
  | { state: 'failed'; error: JobError; ofRequest?: boolean }
  /** To be tried again after `delayMs`; `counts` says whether it takes one of the failures that are allowed. */
  | { state: 'pending'; delayMs: number; counts: boolean; error: JobError | null; progress?: unknown };

/** What is told about an attempt that went wrong: a stable code, and a sentence for people. */
export type JobError = { code: string; message: string };

/**
 * Writes the outcome if the attempt still holds the job.
 *
 * @returns where there may be room now: the job's own lane, and the next job with its order key.
 * @throws {ClaimLost}
 */
export async function finishJob(sql: Sql, claim: Claim, outcome: Outcome): Promise<Ready> {
  const error = 'error' in outcome ? outcome.error : null;
  const again = outcome.state === 'pending';
  const { rows } = await sql.query<Lane & { orderKey: string | null }>({
    ...finishStatement,
    values: [
      claim.id,
      claim.attempt,
      outcome.state,
      error ? JSON.stringify(error) : null,
      again ? Math.ceil(outcome.delayMs) : 0,
      again && outcome.counts ? 1 : 0,
    ],
  });
  const [row] = rows;
  if (!row) throw new ClaimLost();
  return { lane: { queue: row.queue, userId: row.userId }, orderKey: row.orderKey ?? undefined };
}

const finishStatement = {
  name: 'finish-job',
  text: `
UPDATE jobs SET state = $3, error = $4, lease_until = NULL, failures = failures + $6,
  run_at = CASE WHEN $3 <> 'pending' THEN run_at WHEN cancel_requested_at IS NOT NULL THEN now()
    ELSE now() + make_interval(secs => $5::float8 / 1000) END,
  priority = CASE WHEN $3 = 'pending' AND cancel_requested_at IS NOT NULL THEN ${cancelledPriority} ELSE priority END,
  finished_at = CASE WHEN $3 = 'pending' THEN NULL ELSE now() END
WHERE id = $1 AND attempt = $2 AND state = 'running'
RETURNING queue, user_id AS "userId", order_key AS "orderKey"`,
};
