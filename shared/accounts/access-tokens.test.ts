import { generateKeyPairSync } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { expect, test } from 'vitest';
import { createAccessTokens } from './access-tokens.js';

const jwtSecret = 'a secret that is longer than 32 characters';
const key = Buffer.from(jwtSecret);
const userId = '01890000-0000-7000-8000-000000000001';
const sessionId = '01890000-0000-7000-8000-000000000002';
const tokens = createAccessTokens({ jwtSecret, accessTokenSeconds: 900 });

function token(claims: Record<string, unknown> = {}, header = { alg: 'HS256' }): SignJWT {
  const now = Math.floor(Date.now() / 1000);
  const payload = { sub: userId, sid: sessionId, iss: 'millrace', aud: 'millrace', exp: now + 60, ...claims };
  return new SignJWT(payload).setProtectedHeader(header);
}

test('what is signed is verified', async () => {
  const claims = await tokens.verify(await tokens.sign(userId, sessionId));
  expect(claims).toMatchObject({ userId, sessionId });
  expect(claims.expiresAt - Date.now()).toBeGreaterThan(890_000);
  expect(claims.expiresAt - Date.now()).toBeLessThanOrEqual(900_000);
});

test('an expired token says so', async () => {
  const expired = await token({ exp: Math.floor(Date.now() / 1000) - 1 }).sign(key);
  await expect(tokens.verify(expired)).rejects.toMatchObject({ code: 'token_expired' });
});

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const good = await tokens.sign(userId, sessionId);
const [header = '', payload = '', signature = ''] = good.split('.');
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const payloadObject = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;

test.each<[string, string | Promise<string>]>([
  ['signed with another secret', token().sign(Buffer.from('another secret of more than 32 characters'))],
  ['expired, with another secret', token({ exp: 1 }).sign(Buffer.from('another secret of more than 32 characters'))],
  ['unsecured', new UnsecuredJWT(payloadObject).encode()],
  ['alg none with the old signature', `${base64({ alg: 'none' })}.${payload}.${signature}`],
  ['alg None', `${base64({ alg: 'None' })}.${payload}.`],
  ['HS512 with the right secret', token({}, { alg: 'HS512' }).sign(Buffer.from(jwtSecret.padEnd(64, 'x')))],
  ['RS256', token({}, { alg: 'RS256' }).sign(rsa.privateKey)],
  ['another payload', `${header}.${base64({ ...payloadObject, sub: sessionId })}.${signature}`],
  ['no signature', `${header}.${payload}.`],
  ['another issuer', token({ iss: 'else' }).sign(key)],
  ['another audience', token({ aud: 'else' }).sign(key)],
  ['no expiry', token({ exp: undefined }).sign(key)],
  ['no session', token({ sid: undefined }).sign(key)],
  ['a session that is no id', token({ sid: "' OR 1=1" }).sign(key)],
  ['a critical header', `${base64({ alg: 'HS256', crit: ['x'], x: 1 })}.${payload}.${signature}`],
  ['two parts', `${header}.${payload}`],
  ['rubbish', 'x'],
  ['nothing', ''],
])('refused: %s', async (_name, forged) => {
  await expect(tokens.verify(await forged)).rejects.toMatchObject({ code: 'unauthenticated' });
});
