import { randomUUID } from 'node:crypto';
import { Agent, type Dispatcher, request as send } from 'undici';
import type { WebContext } from '../../api/context.js';
import { startWeb } from '../../api/web.js';
import { createPasswords } from '../../shared/accounts/passwords.js';
import type { Role } from '../../shared/accounts/principal.js';
import { register } from '../../shared/accounts/register.js';
import type { UserView } from '../../shared/accounts/user.js';
import { loadConfig } from '../../shared/config.js';
import { createContext } from '../../shared/context.js';
import { createLogger } from '../../shared/logger.js';
import { inject } from 'vitest';
import { testDatabase, testRedis } from './stack.js';

/** The `body` of an answer, whatever it is: what it looks like is what tests are about. */
export type Answer = {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line no-explicit-any -- tests read answers as a client without types does
  body: any;
};

type RequestOptions = {
  token?: string | undefined;
  /** Sent as JSON; a string is sent as it is. */
  body?: unknown;
  headers?: Record<string, string>;
};

export type TestUser = { user: UserView; accessToken: string; refreshToken: string; email: string; password: string };

export type TestApp = {
  url: string;
  ctx: WebContext;
  /** `path` is below /api/v1. */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** A new account, signed in; `regular` unless told, also when it is the first. Past the API, with a known hash. */
  registerUser(options?: { role?: Role; name?: string }): Promise<TestUser>;
  close: () => Promise<void>;
};

/** Of every account that tests make. A hash takes 50 ms of the processor, and the accounts of a run are many. */
const password = 'correct horse battery';
const passwordHash = createPasswords().hash(password);
const passwords = { hash: () => passwordHash };

/** Settings with which tests run, unless told: limits out of the way, nothing logged. */
export function testEnvironment(stores: { databaseUrl: string; redisUrl: string }): Record<string, string> {
  const qdrant = inject('qdrant');
  return {
    QDRANT_URL: qdrant.url,
    QDRANT_API_KEY: qdrant.apiKey ?? '',
    QDRANT_COLLECTION: 'millrace_test',
    STORAGE: inject('storageFolder'),
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
    JWT_SECRET: 'a secret of more than 32 characters, for tests',
    ANTHROPIC_API_KEY: 'test-key',
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
    LOG_LEVEL: 'silent',
    RATE_LIMIT_PER_MINUTE: '0',
    LOGIN_ATTEMPTS_PER_QUARTER_HOUR: '100000',
  };
}

/**
 * A web process on a free port, inside this process.
 *
 * @param options `env` changes settings by the names of the environment; `databaseUrl` and `redisUrl` share the
 * stores of another app, else it gets its own.
 */
export async function startTestApp(
  options: { env?: Record<string, string>; databaseUrl?: string; redisUrl?: string } = {},
): Promise<TestApp> {
  const ownDatabase = options.databaseUrl === undefined ? await testDatabase() : null;
  const databaseUrl = options.databaseUrl ?? ownDatabase?.url ?? '';
  const redisUrl = options.redisUrl ?? (await testRedis()).url;
  const config = loadConfig({ ...testEnvironment({ databaseUrl, redisUrl }), ...options.env });
  const logger = createLogger({ level: config.log.level, role: 'test' });
  const context = await createContext(config, logger, 'web');
  const web = await startWeb(context, { host: '127.0.0.1', port: 0 });
  const { ctx, url } = web;
  const request = (method: string, path: string, options: RequestOptions = {}): Promise<Answer> =>
    ask(`${url}/api/v1${path}`, method, options);

  return {
    url,
    ctx,
    request,
    async registerUser({ role = 'regular', name = 'Ada' } = {}) {
      const { database, accounts } = ctx;
      const email = `${randomUUID()}@example.com`;
      const made = await register({ database, passwords }, { email, name, password }, config.accounts);
      const { sessionId, refreshToken } = made.session;
      await database.query('UPDATE users SET role = $2 WHERE id = $1', [made.user.id, role]);
      const accessToken = await accounts.accessTokens.sign(made.user.id, sessionId);
      return { user: { ...made.user, role }, accessToken, refreshToken, email, password };
    },
    close: async () => {
      await web.stop();
      await ownDatabase?.drop();
    },
  };
}

/** Connections are kept for the next request. */
const dispatcher = new Agent();

/** Not by the global fetch, which takes twice the processor time. */
async function ask(url: string, method: string, { token, body, headers }: RequestOptions): Promise<Answer> {
  const response = await send(url, {
    dispatcher,
    method: method as Dispatcher.HttpMethod,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const received = new Headers();
  for (const [name, value] of Object.entries(response.headers)) {
    for (const each of [value ?? []].flat()) received.append(name, each);
  }
  const text = await response.body.text();
  const isJson = received.get('content-type')?.includes('json');
  return { status: response.statusCode, headers: received, body: isJson ? JSON.parse(text) : text };
}
