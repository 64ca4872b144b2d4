import { loadConfig } from '../../shared/config.js';
import { type Context, createContext } from '../../shared/context.js';
import { type MessagesApi, startMessagesApi } from '../../shared/local/messages-api/server.js';
import { queueNames } from '../../shared/jobs/index.js';
import { createLogger } from '../../shared/logger.js';
import type { MessageView } from '../../shared/realtime/events.js';
import { type RunningWorker, startWorker } from '../../workers/worker.js';
import { type Answer, startTestApp, type TestApp, type TestUser, testEnvironment } from './app.js';
import { eventually } from './eventually.js';
import { testDatabase, testRedis } from './stack.js';

/** Web and workers on stores of their own, with a stand-in for Claude, all in this process. */
export type TestSystem = {
  app: TestApp;
  modelApi: MessagesApi;
  databaseUrl: string;
  redisUrl: string;
  /** One more worker; `close` stops it, unless that was done. */
  startWorker(options?: WorkerOptions): Promise<RunningWorker>;
  /** A new account with a conversation of its own. */
  openConversation(body?: object): Promise<{ user: TestUser; conversationId: string }>;
  post(user: TestUser, conversationId: string, body: object, headers?: Record<string, string>): Promise<Answer>;
  /** The message when it has ended: done, failed or cancelled. */
  ended(user: TestUser, messageId: string, timeoutMs?: number): Promise<MessageView>;
  close(): Promise<void>;
};

/** What sets one worker apart from the others. */
export type WorkerOptions = {
  env?: Record<string, string>;
  /** Ways of its own to the stores. */
  databaseUrl?: string;
  redisUrl?: string;
  /** Gets between the worker and what it works with. */
  wrap?: (ctx: Context) => Context;
};

type Options = {
  env?: Record<string, string>;
  workers?: number;
  /** How long the first retry of a job waits, in milliseconds. */
  retryBaseMs?: number;
  modelApi?: Parameters<typeof startMessagesApi>[0];
  /** Stores of the test's own, else a fresh database and an empty number of the shared Redis. */
  databaseUrl?: string;
  redisUrl?: string;
};

export async function startTestSystem(options: Options = {}): Promise<TestSystem> {
  const modelApi = await startMessagesApi(options.modelApi);
  const database = options.databaseUrl ? null : await testDatabase();
  const databaseUrl = options.databaseUrl ?? database?.url ?? '';
  const redisUrl = options.redisUrl ?? (await testRedis()).url;
  const env = { ANTHROPIC_BASE_URL: modelApi.url, ...options.env };
  const app = await startTestApp({ env, databaseUrl, redisUrl });
  const workers = new Set<RunningWorker>();

  const system: TestSystem = {
    app,
    modelApi,
    databaseUrl,
    redisUrl,
    async startWorker({ wrap = (ctx: Context) => ctx, ...own }: WorkerOptions = {}) {
      const stores = { databaseUrl: own.databaseUrl ?? databaseUrl, redisUrl: own.redisUrl ?? redisUrl };
      const config = loadConfig({ ...testEnvironment(stores), ...env, ...own.env });
      const logger = createLogger({ level: config.log.level, role: 'worker' });
      const ctx = wrap(await createContext(config, logger, 'worker'));
      const worker = startWorker(ctx, queueNames, { retryBaseMs: options.retryBaseMs });
      const kept: RunningWorker = {
        ...worker,
        stop: () => {
          workers.delete(kept);
          return worker.stop();
        },
      };
      workers.add(kept);
      return kept;
    },
    async openConversation(body = { title: 'Test' }) {
      const user = await app.registerUser();
      const { body: conversation } = await app.request('POST', '/conversations', { token: user.accessToken, body });
      return { user, conversationId: conversation.id as string };
    },
    post: (user, conversationId, body, headers = {}) =>
      app.request('POST', `/conversations/${conversationId}/messages`, { token: user.accessToken, body, headers }),
    async ended(user, messageId, timeoutMs = 20_000) {
      const isOver = (state: string | undefined): boolean => ['done', 'failed', 'cancelled'].includes(state ?? '');
      return eventually(
        async () => {
          // Asking Postgres takes a small part of what a request takes, and most of the answers are no.
          const { rows } = await app.ctx.database.query<{ state: string }>('SELECT state FROM messages WHERE id = $1', [
            messageId,
          ]);
          if (!isOver(rows[0]?.state)) throw new Error(`the message is still ${rows[0]?.state}`);
          const { body } = await app.request('GET', `/messages/${messageId}`, { token: user.accessToken });
          if (!isOver(body.state)) throw new Error(`the message is shown as ${body.state}`);
          return body as MessageView;
        },
        { timeout: timeoutMs },
      );
    },
    async close() {
      await Promise.all([...workers].map((worker) => worker.stop()));
      await app.close();
      await modelApi.stop();
      await database?.drop();
    },
  };
  for (let count = options.workers ?? 1; count > 0; count -= 1) await system.startWorker();
  return system;
}
