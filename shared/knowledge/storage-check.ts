import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ObjectStore } from '../adapters/object-store/object-store.js';
import type { Database } from '../database.js';
import type { Check } from '../health.js';

const markKey = 'storage-id';

/** Any number that nothing else uses. */
const markLock = 5_310_004;

/**
 * Finds out whether this process sees the objects that the others see: a folder on the disk of another machine has
 * another mark in it, or none.
 */
export function storageCheck(deps: { database: Database; objects: ObjectStore }): Check {
  let agreed: string | null = null;
  return {
    name: 'storage',
    needed: false,
    run: async () => {
      agreed ??= await agree(deps);
      if ((await deps.objects.readText(markKey)) !== agreed) throw new OtherStorage();
    },
  };
}

class OtherStorage extends Error {
  readonly code = 'not_the_shared_storage';
}

/** The mark that the first process has made; under a lock, so that only one is the first. */
function agree({ database, objects }: { database: Database; objects: ObjectStore }): Promise<string> {
  return database.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [markLock]);
    const { rows } = await tx.query<{ value: string }>('SELECT value FROM settings WHERE name = $1', [markKey]);
    if (rows[0]) return rows[0].value;
    const mark = (await objects.readText(markKey)) ?? randomUUID();
    await objects.put(markKey, Readable.from([Buffer.from(mark)]));
    await tx.query('INSERT INTO settings (name, value) VALUES ($1, $2)', [markKey, JSON.stringify(mark)]);
    return mark;
  });
}
