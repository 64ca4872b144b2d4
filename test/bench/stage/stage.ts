import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { migrate } from '../../../prisma/migrate.js';
import { nodeFlags, webEnvironment } from '../../../shared/local/node-flags.js';
import { startPostgres } from '../../../shared/local/postgres.js';
import { startRedis } from '../../../shared/local/redis.js';
import { type BenchProcess, type ProcessCommand, startProcess } from './process.js';
import { startVectorServer, type VectorServer } from './vector-server.js';

/** A web process and where it listens. */
export type Web = BenchProcess & { url: string };

/** What a bench plays on: stores of its own, and the product's processes as production runs them. */
export type Stage = {
  databaseUrl: string;
  redisUrl: string;
  /** Where points go: the Qdrant that QDRANT_URL names, else the stand-in as a process of its own. */
  vectors: VectorServer;
  /** For files, deleted at the end. */
  folder: string;
  /** For looking at what is stored, beside the processes. */
  sql: pg.Pool;
  /** Told what goes on, while it goes on. */
  say: (line: string) => void;
  startWeb(env?: Record<string, string>): Promise<Web>;
  startWorker(env?: Record<string, string>): Promise<BenchProcess>;
  /** The stand-in for Claude as a process of its own. */
  startProvider(): Promise<BenchProcess & { url: string }>;
  /** A helper process of the bench, from `test/bench/processes/`. */
  startHelper(name: string, env?: Record<string, string>): Promise<BenchProcess>;
  /** Ends everything and deletes its files; may be called at any time, more than once. */
  close(): Promise<void>;
};

type StageOptions = {
  say: (line: string) => void;
  /** A folder for processor profiles of all processes; none are made without it. */
  profiles?: string | undefined;
};

const jwtSecret = 'a secret of more than 32 characters, for benches';

/**
 * Starts Postgres and Redis in temporary folders, both durable as in production: every commit is on the disk before
 * it is answered, and Redis keeps its append-only file.
 */
export async function startStage(
  options: StageOptions,
  onStarting: (close: () => Promise<void>) => void,
): Promise<Stage> {
  const { say } = options;
  const undo: Undo[] = [];
  let closing: Promise<void> | undefined;
  const starting = startStores(options.say, (step) => {
    undo.push(step);
    if (closing) throw new Error('The bench was stopped.');
  });
  const closeAll = async (): Promise<void> => {
    // What is starting is let finish, so that it can be undone.
    await starting.catch(() => {});
    for (let step = undo.pop(); step; step = undo.pop()) {
      await step().catch((error: unknown) => options.say(String(error)));
    }
  };
  const close = (): Promise<void> => (closing ??= closeAll());
  onStarting(close);
  const stores = await starting;

  const settings = {
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
    JWT_SECRET: jwtSecret,
    ANTHROPIC_API_KEY: 'bench',
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
    HOST: '127.0.0.1',
    STORAGE: path.join(stores.folder, 'storage'),
    RATE_LIMIT_PER_MINUTE: '0',
    LOGIN_ATTEMPTS_PER_QUARTER_HOUR: '100000',
    ACCESS_TOKEN_MINUTES: '120',
  };
  const start = async (command: Command): Promise<BenchProcess> => {
    if (closing) throw new Error('The bench was stopped.');
    const profile = options.profiles ? ['--cpu-prof', `--cpu-prof-dir=${path.resolve(options.profiles)}`] : [];
    const started = await startProcess({
      ...command,
      say,
      flags: [...(command.flags ?? nodeFlags.worker), ...profile],
    });
    if (closing) await started.end('SIGKILL');
    // A profile is written by a process that ends by itself.
    undo.push(() => started.end(options.profiles ? 'SIGTERM' : 'SIGKILL'));
    return started;
  };

  // Without one the worker would try again and again to index what is typed, and every reply would look for it.
  const vectors = await startVectorServer({
    startStandIn: () =>
      start({
        name: 'vector server',
        entry: 'shared/local/qdrant/main.js',
        args: ['--dir', path.join(stores.folder, 'qdrant')],
        ready: ({ url }) => typeof url === 'string',
      }),
    onDone: (step) => undo.push(step),
  });
  const common = { ...settings, ...vectors.env };

  return {
    ...stores,
    vectors,
    say,
    close,
    async startWeb(env) {
      const web = await start({
        name: 'web',
        entry: 'api/main.js',
        flags: nodeFlags.web,
        env: { ...webEnvironment, ...common, PORT: '0', ...env },
        ready: ({ msg }) => msg === 'listening',
      });
      return { ...web, url: String(web.ready.url) };
    },
    startWorker: (env) =>
      start({
        name: 'worker',
        entry: 'workers/main.js',
        env: { ...common, METRICS_PORT: '0', ...env },
        ready: ({ msg }) => msg === 'working',
      }),
    async startProvider() {
      const provider = await start({
        name: 'provider',
        entry: 'shared/local/messages-api/main.js',
        ready: ({ url }) => typeof url === 'string',
      });
      return { ...provider, url: String(provider.ready.url) };
    },
    startHelper: (name, env = {}) =>
      start({ name, entry: `test/bench/processes/${name}.js`, env, ready: ({ ready }) => ready === true }),
  };
}

type Undo = () => Promise<unknown>;

/** Helpers run as workers do. */
type Command = Omit<ProcessCommand, 'say' | 'flags'> & Partial<Pick<ProcessCommand, 'flags'>>;

/** @param done takes what undoes each step, and throws when no further one should be taken. */
async function startStores(
  say: Stage['say'],
  done: (undo: Undo) => void,
): Promise<Pick<Stage, 'databaseUrl' | 'redisUrl' | 'folder' | 'sql'>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-bench-'));
  done(() => rm(folder, { recursive: true, force: true }));
  const postgres = await startPostgres({ dataDir: path.join(folder, 'postgres'), maxConnections: 400 });
  done(async () => {
    await postgres.stop();
    await rm(postgres.folder, { recursive: true, force: true });
  });
  const redis = await startRedis({ dir: path.join(folder, 'redis'), durable: true, say });
  done(() => redis.stop());
  await migrate(postgres.url);
  const sql = new pg.Pool({ connectionString: postgres.url, max: 2, application_name: 'bench' });
  done(() => sql.end());
  return { databaseUrl: postgres.url, redisUrl: redis.url, sql, folder };
}
