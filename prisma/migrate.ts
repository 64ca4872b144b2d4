import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { helpIfAsked } from '../shared/help.js';

/** The lock that Prisma's own tool takes, so that the two never migrate at once. */
const advisoryLock = 72707369;

const ledger = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id varchar(36) PRIMARY KEY,
  checksum varchar(64) NOT NULL,
  finished_at timestamptz,
  migration_name varchar(255) NOT NULL,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
)`;

type Migration = { name: string; sql: string; checksum: string };

/**
 * Brings the database to the newest migration and returns the names of those it applied. Any number of
 * processes may call it at once: one works, the others wait and find nothing to do.
 *
 * @throws when a migration that was applied has since been changed, or one fails; a failed one leaves nothing behind.
 */
export async function migrate(databaseUrl: string, folder = findMigrations()): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'millrace migrate' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [advisoryLock]);
    await client.query(ledger);
    const { rows } = await client.query<{ migration_name: string; checksum: string }>(
      'SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
    );
    const applied = new Map(rows.map((row) => [row.migration_name, row.checksum]));
    const done: string[] = [];
    for (const migration of await readMigrations(folder)) {
      const checksum = applied.get(migration.name);
      if (checksum === migration.checksum) continue;
      if (checksum !== undefined) {
        throw new Error(`Migration ${migration.name} was changed after it was applied; write a new one instead.`);
      }
      await apply(client, migration);
      done.push(migration.name);
    }
    return done;
  } finally {
    await client.end();
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  const startedAt = new Date();
  await client.query('BEGIN');
  try {
    await client.query(migration.sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, $4, now(), 1)`,
      [randomUUID(), migration.checksum, migration.name, startedAt],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw new Error(`Migration ${migration.name} failed: ${(error as Error).message}`, { cause: error });
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(path.join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/** Built code lives one folder deeper (`dist/prisma`) than its migrations, which are not compiled. */
function findMigrations(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const candidates = [path.join(here, 'migrations'), path.join(here, '../../prisma/migrations')];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (!found) throw new Error(`No migrations found; looked in ${candidates.join(' and ')}.`);
  return found;
}

/** Entry: `node dist/prisma/migrate.js` migrates DATABASE_URL and says what it did. */
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  helpIfAsked('Usage: node dist/prisma/migrate.js\n\nBrings the database of DATABASE_URL to the newest migration.');
  const url = process.env.DATABASE_URL;
  if (!url) {
    console.error('DATABASE_URL is not set.');
    process.exit(1);
  }
  try {
    const done = await migrate(url);
    console.log(done.length > 0 ? `applied ${done.join(', ')}` : 'nothing to migrate');
  } catch (error) {
    // Of a refused connection, tried over IPv4 and IPv6, the message is empty.
    const { message, code } = error as Error & { code?: string };
    console.error(`The database was not migrated: ${message || code}`);
    process.exit(1);
  }
}
