import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseEnv } from 'node:util';

/** Variables as processes get them. */
export type Environment = Record<string, string>;

/**
 * The variables that the user has set: those of this process, and behind them those of the file `.env`.
 * An empty one counts as not set.
 */
export async function readEnvironment(root: string, own: NodeJS.ProcessEnv): Promise<Environment> {
  const text = await readFile(path.join(root, '.env'), 'utf8').catch(() => '');
  const all = { ...parseEnv(text), ...own };
  const set = Object.entries(all).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return Object.fromEntries(set);
}
