import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { migrate } from '../../prisma/migrate.js';
import { type Environment, readEnvironment } from './environment.js';
import { keptSecret } from './kept.js';
import { LockedError, takeLock } from './lock.js';
import type { LineLog } from './server-process.js';
import { startStandIns, urlsFile } from './stand-ins.js';

/** What one command needs to run as the processes of `npm start` do. */
type Services = { env: Environment; stop: () => Promise<void> };

/**
 * The environment of a command, with what it does not name: that of the `npm start` that runs in this folder, else
 * started, on the same data, until `stop`.
 *
 * @throws {Error} when something does not start; nothing is left running then.
 */
export async function takeServices(root: string, own: NodeJS.ProcessEnv, say: LineLog): Promise<Services> {
  const folder = path.join(root, '.millrace');
  const given = await readEnvironment(root, own);
  let unlock: () => Promise<void>;
  try {
    unlock = await takeLock(path.join(folder, 'lock'));
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    return { env: { ...(await ofRunning(folder)), ...given }, stop: async () => {} };
  }
  try {
    const onLost = (message: string): void => say(message);
    const { env, stop } = await startStandIns({ env: given, folder, say, onLost });
    try {
      await migrate(env.DATABASE_URL ?? '');
    } catch (error) {
      await stop();
      throw error;
    }
    const giveBack = async (): Promise<void> => {
      await stop();
      await unlock();
    };
    return { env, stop: giveBack };
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function ofRunning(folder: string): Promise<Environment> {
  const urls = parseEnv(await readFile(urlsFile(folder), 'utf8')) as Environment;
  const storage = path.join(folder, 'storage');
  const secret = await keptSecret(path.join(folder, 'jwt-secret'));
  return { STORAGE: storage, JWT_SECRET: secret, ANTHROPIC_API_KEY: 'stand-in', ...urls };
}
