import { afterAll, expect, test } from 'vitest';
import { deleteEndedSessions, deleteUsedRefreshTokens } from '../../shared/accounts/sessions.js';
import { startTestApp } from '../support/app.js';

const app = await startTestApp();
afterAll(app.close);

const refresh = (refreshToken: string) => app.request('POST', '/auth/refresh', { body: { refreshToken } });
const statusOfMe = async (token: string) => (await app.request('GET', '/auth/me', { token })).status;

test('a refresh token gives the next one and prolongs the session', async () => {
  const { accessToken, refreshToken, user } = await app.registerUser();
  await app.ctx.database.query(`UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE user_id = $1`, [
    user.id,
  ]);
  let current = refreshToken;
  for (let count = 0; count < 5; count += 1) {
    const { status, body } = await refresh(current);
    expect(status).toBe(200);
    expect(body).toEqual({ accessToken: expect.any(String), refreshToken: expect.any(String), expiresIn: 900 });
    expect(body.refreshToken).not.toBe(current);
    expect(await statusOfMe(body.accessToken)).toBe(200);
    current = body.refreshToken;
  }
  expect(await statusOfMe(accessToken)).toBe(200);
  const { rows } = await app.ctx.database.query(
    `SELECT 1 FROM sessions WHERE user_id = $1 AND expires_at > now() + interval '29 days'`,
    [user.id],
  );
  expect(rows).toHaveLength(1);
});

test('a used token ends its session, whoever comes second', async () => {
  const { accessToken, refreshToken, email, password } = await app.registerUser();
  const other = (await app.request('POST', '/auth/login', { body: { email, password } })).body;
  const next = (await refresh(refreshToken)).body;
  expect(await statusOfMe(next.accessToken)).toBe(200);
  const reused = await refresh(refreshToken);
  expect([reused.status, reused.body.code]).toEqual([401, 'token_reused']);
  expect(await statusOfMe(accessToken)).toBe(401);
  expect(await statusOfMe(next.accessToken)).toBe(401);
  expect((await refresh(next.refreshToken)).body.code).toBe('unauthenticated');
  expect((await refresh(refreshToken)).body.code).toBe('token_reused');
  expect(await statusOfMe(other.accessToken)).toBe(200);
  expect((await refresh(other.refreshToken)).status).toBe(200);
});

test('of twenty refreshes at once with one token exactly one wins, and the family ends', async () => {
  const { refreshToken, user } = await app.registerUser();
  const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(refreshToken)));
  const codes = answers.map(({ status, body }) => (status === 200 ? 'ok' : (body.code as string)));
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
  expect(codes.filter((code) => code === 'token_reused')).toHaveLength(19);
  const winner = answers.find(({ status }) => status === 200);
  expect((await refresh(winner?.body.refreshToken)).body.code).toBe('unauthenticated');
  const { rows } = await app.ctx.database.query<{ tokens: number }>(
    `SELECT count(*)::int AS tokens FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE s.user_id = $1`,
    [user.id],
  );
  expect(rows).toEqual([{ tokens: 2 }]);
});

test('an expired session is not refreshed', async () => {
  const { refreshToken, user } = await app.registerUser();
  await app.ctx.database.query('UPDATE sessions SET expires_at = now() WHERE user_id = $1', [user.id]);
  expect((await refresh(refreshToken)).body.code).toBe('token_expired');
});

test('a disabled account is not refreshed', async () => {
  const { refreshToken, user } = await app.registerUser();
  await app.ctx.database.query('UPDATE users SET disabled_at = now() WHERE id = $1', [user.id]);
  const answer = await refresh(refreshToken);
  expect([answer.status, answer.body.code]).toEqual([403, 'account_disabled']);
});

test('refreshing and logging out at once leave nothing that works', async () => {
  for (let round = 0; round < 5; round += 1) {
    const { accessToken, refreshToken } = await app.registerUser();
    const [refreshed] = await Promise.all([
      refresh(refreshToken),
      app.request('POST', '/auth/logout', { token: accessToken }),
    ]);
    expect([200, 401]).toContain(refreshed.status);
    if (refreshed.status === 200) {
      expect(await statusOfMe(refreshed.body.accessToken)).toBe(401);
      expect((await refresh(refreshed.body.refreshToken)).status).toBe(401);
    }
  }
});

test.each(['x', 'A'.repeat(43), 'mr_nothing', '\u0000', '💥'])(
  'an invented refresh token is refused: %s',
  async (token) => {
    const answer = await refresh(token);
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
  },
);

test('what has had its time is deleted, and nothing else', async () => {
  const { database } = app.ctx;
  const [ended, live] = [await app.registerUser(), await app.registerUser()];
  const next = (await refresh(live.refreshToken)).body;
  await database.query(`UPDATE sessions SET revoked_at = now() - interval '2 days' WHERE user_id = $1`, [
    ended.user.id,
  ]);
  await database.query(
    `UPDATE refresh_tokens SET used_at = used_at - interval '31 days' WHERE used_at IS NOT NULL AND session_id IN
       (SELECT id FROM sessions WHERE user_id = $1)`,
    [live.user.id],
  );
  expect(await deleteEndedSessions(database, 100)).toBe(1);
  expect(await deleteUsedRefreshTokens(database, 30 * 86_400, 100)).toBe(1);
  expect(await deleteEndedSessions(database, 100)).toBe(0);
  expect((await refresh(next.refreshToken)).status).toBe(200);
});
