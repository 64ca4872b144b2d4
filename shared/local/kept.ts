import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { freePort } from './server-process.js';

/** A secret that is made once and kept in `file`, readable by its owner only. */
export async function keptSecret(file: string): Promise<string> {
  const kept = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (kept) return kept;
  const made = randomBytes(32).toString('hex');
  await writeFile(file, `${made}\n`, { mode: 0o600 });
  return made;
}

/** The loopback port that is kept in `file`, or another one from now on if there is none or it is taken. */
export async function keptPort(file: string): Promise<number> {
  const port = await freePort(Number(await readFile(file, 'utf8').catch(() => '0')));
  await writeFile(file, String(port));
  return port;
}
