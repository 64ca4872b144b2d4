import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PostgresPlace } from './postgres-place.js';
import { processCommand } from './process-table.js';

/** Makes the data folder of a new server, whole or not at all. */
export async function initialise(
  place: PostgresPlace,
  data: string,
  password: string,
  durable: boolean,
): Promise<void> {
  const draft = `${data}.new`;
  const passwordFile = path.join(place.base, 'password.initdb');
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (place.user) for (const file of [draft, passwordFile]) await chown(file, place.user.uid, place.user.gid);
  const made = spawnSync(
    path.join(place.bin, 'initdb'),
    [
      ...[`--pgdata=${draft}`, '--username=millrace', '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
      // The server's own locale: the same order and case rules on every machine, whatever is installed there.
      ...['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'],
      ...(durable ? [] : ['--no-sync']),
    ],
    { ...place.user, cwd: place.base, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } },
  );
  await rm(passwordFile, { force: true });
  if (made.status !== 0) throw new Error(`PostgreSQL could not make its data folder: ${made.error ?? made.stderr}`);
  // Renamed when whole: an interrupted initdb is never taken for a database.
  await rename(draft, data);
}

/**
 * A server that outlived its supervisor, which holds the lock no more, is stopped: its pipe to the
 * log is gone, and its settings may be those of another version.
 */
export async function stopOrphan(data: string): Promise<void> {
  const lines = (await readFile(path.join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return;
  if (!processCommand(pid).includes(data)) {
    // The number belongs to another program by now. Postgres would take that one for itself and refuse to start.
    await rm(path.join(data, 'postmaster.pid'), { force: true });
    return;
  }
  process.kill(pid, 'SIGINT');
  for (const deadline = Date.now() + 20_000; existsSync(path.join(data, 'postmaster.pid'));) {
    if (Date.now() > deadline)
      throw new Error(`An old PostgreSQL (process ${pid}) does not end: stop it, then start again.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
