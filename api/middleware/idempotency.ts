import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Sql } from '../../shared/database.js';
import { AppError } from '../../shared/errors.js';
import type { WebContext } from '../context.js';
import type { Idempotency } from '../endpoint.js';

/** Says that the answer is the one of an earlier request with the same key. */
export const replayedHeader = 'idempotency-replayed';

/**
 * @param route what the key is for: under another one it is another key.
 * @throws AppError `invalid_request` for a key that is empty, longer than 255 characters or not printable ASCII.
 */
export function idempotencyOf(req: Request, route: string): Idempotency | null {
  const key = req.get('idempotency-key');
  if (key === undefined) return null;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new AppError('invalid_request', 'Idempotency-Key must be 1 to 255 printable ASCII characters.');
  }
  const bodyHash = createHash('sha256')
    .update(JSON.stringify(req.body ?? null))
    .digest();
  return { key, route, bodyHash };
}

/** @throws AppError `idempotency_key_reused` when the key was used with another body. */
function requireSameBody(stored: Buffer, idempotency: Idempotency): void {
  if (!stored.equals(idempotency.bodyHash)) {
    throw new AppError(
      'idempotency_key_reused',
      'This Idempotency-Key was used with another body. Use a new key for a new request.',
    );
  }
}

type Answer = { status: number; value: unknown };
type Call = (tx: Sql, afterCommit: (work: () => void) => void) => Promise<unknown>;

/**
 * Runs a handler in one transaction with its key: what it did and the answer are stored together or not at
 * all, so that a crash in between leaves nothing half. Of several requests at once with one key the others
 * wait at the primary key for the first to commit, and then find its answer.
 */
export async function runInTransaction(
  ctx: WebContext,
  options: { userId: string; idempotency: Idempotency | null; status: number; res: Response },
  call: Call,
): Promise<Answer> {
  const { userId, idempotency, status, res } = options;
  const afterCommit: (() => void)[] = [];
  const answer = await ctx.database.transaction(async (tx): Promise<Answer> => {
    const earlier = idempotency && (await takeKey(tx, userId, idempotency));
    if (earlier) {
      res.setHeader(replayedHeader, 'true');
      return earlier;
    }
    const value = await call(tx, (work) => void afterCommit.push(work));
    if (idempotency) {
      await tx.query(
        'UPDATE idempotency_keys SET status = $4, response = $5 WHERE user_id = $1 AND route = $2 AND key = $3',
        [userId, idempotency.route, idempotency.key, status, JSON.stringify(value ?? null)],
      );
    }
    return { status, value };
  });
  for (const work of afterCommit) work();
  return answer;
}

async function takeKey(tx: Sql, userId: string, idempotency: Idempotency): Promise<Answer | null> {
  const { route, key, bodyHash } = idempotency;
  const { rowCount } = await tx.query(
    `INSERT INTO idempotency_keys (user_id, route, key, body_hash, status, response)
     VALUES ($1, $2, $3, $4, 0, 'null') ON CONFLICT DO NOTHING`,
    [userId, route, key, bodyHash],
  );
  if (rowCount === 1) return null;
  const { rows } = await tx.query<{ status: number; response: unknown; body_hash: Buffer }>(
    'SELECT status, response, body_hash FROM idempotency_keys WHERE user_id = $1 AND route = $2 AND key = $3',
    [userId, route, key],
  );
  const [row] = rows;
  if (!row) throw new AppError('conflict', 'The Idempotency-Key has just expired. Send the request again.');
  requireSameBody(row.body_hash, idempotency);
  return { status: row.status, value: row.response ?? undefined };
}
