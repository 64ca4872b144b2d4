import { v7 as uuidv7 } from 'uuid';
import type { Database, Sql } from '../database.js';
import { AppError } from '../errors.js';
import { accountDisabled } from './account-errors.js';
import { endSession, hashToken, newRefreshToken } from './sessions.js';

/** A refresh token was exchanged; or it had been used before, and that ended its session. */
export type Refreshed =
  | { outcome: 'rotated'; userId: string; sessionId: string; refreshToken: string }
  | { outcome: 'reused'; userId: string };

type TokenRow = {
  id: string;
  session_id: string;
  user_id: string;
  used: boolean;
  revoked: boolean;
  expired: boolean;
  disabled: boolean;
};

/**
 * Exchanges a refresh token for its successor and prolongs the session.
 *
 * Each token is good for one exchange. A second use means that two parties hold it, and it cannot be told which
 * of them is the thief: so it ends the session, and with it every token of the family. There is no grace
 * period: a client whose answer was lost, or whose two tabs refresh at once, signs in again. Between convenience
 * there and a window in which a stolen token works unseen, this chooses the latter's absence.
 *
 * The locks on token and session make exchanges of one family run one after the other, whichever process they
 * reach: of several at once exactly one finds the token unused.
 *
 * @throws AppError `unauthenticated` (unknown or revoked), `token_expired` or `account_disabled`. Reuse is not
 * thrown, because what it did has to be committed.
 */
export function refreshSession(database: Database, refreshToken: string, lifetimeSeconds: number): Promise<Refreshed> {
  return database.transaction(async (tx) => {
    const row = await lockToken(tx, refreshToken);
    if (!row) throw new AppError('unauthenticated', 'The refresh token is not valid.');
    if (row.used) {
      await endSession(tx, row.session_id);
      return { outcome: 'reused', userId: row.user_id };
    }
    if (row.disabled) throw accountDisabled();
    if (row.revoked) throw new AppError('unauthenticated', 'The session has ended. Please sign in again.');
    if (row.expired) throw new AppError('token_expired', 'The session has expired. Please sign in again.');
    const successor = newRefreshToken();
    await tx.query(
      `WITH used AS (
         UPDATE refresh_tokens SET used_at = now() WHERE id = $1
       ), prolonged AS (
         UPDATE sessions SET expires_at = now() + make_interval(secs => $3) WHERE id = $2
       )
       INSERT INTO refresh_tokens (id, session_id, token_hash) VALUES ($4, $2, $5)`,
      [row.id, row.session_id, lifetimeSeconds, uuidv7(), hashToken(successor)],
    );
    return { outcome: 'rotated', userId: row.user_id, sessionId: row.session_id, refreshToken: successor };
  });
}

async function lockToken(tx: Sql, refreshToken: string): Promise<TokenRow | undefined> {
  const { rows } = await tx.query<TokenRow>(
    `SELECT t.id, t.session_id, s.user_id, t.used_at IS NOT NULL AS used, s.revoked_at IS NOT NULL AS revoked,
            s.expires_at <= now() AS expired, u.disabled_at IS NOT NULL AS disabled
     FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
     WHERE t.token_hash = $1 FOR UPDATE OF t, s`,
    [hashToken(refreshToken)],
  );
  return rows[0];
}
