import { expect, test } from 'vitest';
import { createLogger } from './logger.js';

test('secrets reach no log, however deep they lie in what is logged', () => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', role: 'web' }, { write: (line) => void lines.push(line) });
  const secrets = {
    authorization: 'Bearer hidden-1',
    cookie: 'session=hidden-2',
    password: 'hidden-3',
    newPassword: 'hidden-4',
    token: 'hidden-5',
    accessToken: 'hidden-6',
    refreshToken: 'hidden-7',
    apiKey: 'hidden-8',
    jwtSecret: 'hidden-9',
  };
  logger.info(secrets, 'at the top');
  logger.info({ body: secrets, req: { headers: secrets } }, 'within');
  logger.child({ session: secrets }).warn({ err: Object.assign(new Error('no'), { request: secrets }) }, 'of an error');
  const log = lines.join('');
  expect(log).not.toContain('hidden');
  expect(log).toContain('[redacted]');
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    'at the top',
    'within',
    'of an error',
  ]);
});
