import { createWriteStream } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bringBack } from './bring-back.js';
import type { Environment } from './environment.js';
import { keptSecret } from './kept.js';
import { startMessagesApi } from './messages-api/server.js';
import { startPostgres } from './postgres.js';
import { startQdrant } from './qdrant.js';
import { startRedis } from './redis.js';
import type { LineLog } from './server-process.js';

/** What was started because the environment does not name it. */
export type StandIns = {
  /** The environment, now complete. */
  env: Environment;
  /** A line for each service: what it is, and where. */
  summary: string[];
  /** Stops them, last started first. */
  stop: () => Promise<void>;
};

type Options = {
  env: Environment;
  /** The folder that holds all data. */
  folder: string;
  say: LineLog;
  /** Told when a server has ended by itself and did not come back. */
  onLost: (message: string) => void;
};

/**
 * Starts what the environment does not name: Postgres, Redis, Qdrant, the Messages API; and makes a secret for
 * tokens.
 *
 * @throws {Error} when one does not start; those before it are stopped then.
 */
export async function startStandIns({ env: given, folder, say, onLost }: Options): Promise<StandIns> {
  const env = { ...given };
  const summary: string[] = [];
  const undo: (() => Promise<void>)[] = [];
  let stopping = false;
  const stop = async (): Promise<void> => {
    stopping = true;
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  };
  const revive = (name: string, again: () => Promise<void>) => (): void => {
    if (stopping) return;
    say(`${name} ended unexpectedly; starting it again.`);
    const isWanted = (): boolean => !stopping;
    bringBack(again, isWanted).catch((error: unknown) => onLost(`${name} does not come back: ${messageOf(error)}`));
  };

  await mkdir(folder, { recursive: true });
  try {
    if (env.DATABASE_URL) summary.push(`PostgreSQL  yours, at ${placeOf(env.DATABASE_URL)}`);
    else {
      const log = await logFile(folder, 'postgres');
      const onCrash = revive('PostgreSQL', () => postgres.restart());
      const postgres = await startPostgres({ dataDir: path.join(folder, 'postgres'), log, onCrash });
      undo.push(() => postgres.stop());
      env.DATABASE_URL = postgres.url;
      summary.push(`PostgreSQL  embedded, port ${postgres.port}${noteOf(postgres.folder, folder)}`);
    }
    if (env.REDIS_URL) summary.push(`Redis       yours, at ${placeOf(env.REDIS_URL)}`);
    else {
      const log = await logFile(folder, 'redis');
      const onCrash = revive('Redis', () => redis.start());
      const redis = await startRedis({ dir: path.join(folder, 'redis'), durable: true, log, say, onCrash, env });
      undo.push(() => redis.stop());
      env.REDIS_URL = redis.url;
      summary.push(`Redis       of this machine, started on port ${redis.port}`);
    }
    if (env.QDRANT_URL || env.QDRANT_HOST) {
      summary.push(`Qdrant      yours, at ${env.QDRANT_URL ? placeOf(env.QDRANT_URL) : env.QDRANT_HOST}`);
    } else {
      const log = await logFile(folder, 'qdrant');
      const onCrash = revive('Qdrant', () => qdrant.start());
      const qdrant = await startQdrant({ dir: path.join(folder, 'qdrant'), log, onCrash });
      undo.push(() => qdrant.stop());
      env.QDRANT_URL = qdrant.url;
      env.QDRANT_API_KEY = qdrant.apiKey;
      summary.push(`Qdrant      a stand-in, port ${qdrant.port}; set QDRANT_URL for the real one`);
    }
    if (env.EMBEDDING_URL) summary.push(`Embeddings  of ${placeOf(env.EMBEDDING_URL)}`);
    else summary.push('Embeddings  built in: by words, not by meaning; set EMBEDDING_URL for a model');
    if (env.ANTHROPIC_API_KEY)
      summary.push(`Claude      real, at ${placeOf(env.ANTHROPIC_BASE_URL ?? 'https://api.anthropic.com')}`);
    else if (!env.ANTHROPIC_BASE_URL) {
      const api = await startMessagesApi();
      undo.push(() => api.stop());
      env.ANTHROPIC_BASE_URL = api.url;
      env.ANTHROPIC_API_KEY = 'stand-in';
      summary.push('Claude      a stand-in that says so; set ANTHROPIC_API_KEY for the real one');
    }
    env.STORAGE ??= path.join(folder, 'storage');
    env.JWT_SECRET ??= await keptSecret(path.join(folder, 'jwt-secret'));

    // For psql, redis-cli, curl and scripts: the ports, passwords and keys are not to be guessed.
    const urls = urlsFile(folder);
    const names = ['DATABASE_URL', 'REDIS_URL', 'QDRANT_URL', 'QDRANT_API_KEY'];
    const lines = names.flatMap((name) => (env[name] ? [`${name}=${env[name]}\n`] : []));
    await writeFile(urls, lines.join(''), { mode: 0o600 });
    await chmod(urls, 0o600);
    return { env, summary, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where the addresses of what runs are to be found. */
export const urlsFile = (folder: string): string => path.join(folder, 'urls.env');

/** What a server writes goes to a file of its own, which begins anew with each start. */
async function logFile(folder: string, name: string): Promise<LineLog> {
  await mkdir(path.join(folder, 'logs'), { recursive: true });
  const stream = createWriteStream(path.join(folder, 'logs', `${name}.log`));
  stream.on('error', () => {});
  return (line) => void stream.write(`${line}\n`);
}

/** Host and port of a URL: never its password. */
function placeOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is not a URL';
}

function noteOf(used: string, folder: string): string {
  return used.startsWith(folder) ? '' : `; its data is in ${used}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
