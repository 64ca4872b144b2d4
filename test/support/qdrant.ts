import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { QdrantClient } from '@qdrant/js-client-rest';
import { inject } from 'vitest';
import { type QdrantServer, startQdrantServer } from '../../shared/local/qdrant/server.js';

/** Where the shared Qdrant is, and an alias of one's own. `drop` deletes its collections. */
export type TestQdrant = { url: string; apiKey: string | undefined; collection: string; drop: () => Promise<void> };

/** The Qdrant that QDRANT_URL names, else the stand-in that the run shares. */
export async function testQdrant(): Promise<TestQdrant> {
  const { url, apiKey } = inject('qdrant');
  const collection = `test_${randomBytes(6).toString('hex')}`;
  return {
    url,
    apiKey,
    collection,
    async drop() {
      const client = new QdrantClient({
        url,
        checkCompatibility: false,
        ...(apiKey ? { headers: { 'api-key': apiKey } } : {}),
      });
      const { collections } = await client.getCollections();
      for (const { name } of collections) if (name.startsWith(collection)) await client.deleteCollection(name);
    },
  };
}

/** A stand-in of one's own, for tests that stop it or wipe it; `again` starts it on the same port and folder. */
export async function ownQdrant(): Promise<
  Pick<QdrantServer, 'url' | 'stop'> & { dir: string; again: () => Promise<void>; remove: () => Promise<void> }
> {
  const dir = await mkdtemp(path.join(tmpdir(), 'millrace-qdrant-'));
  let server = await startQdrantServer({ dir });
  let running = true;
  const stop = async (): Promise<void> => {
    if (running) await server.stop();
    running = false;
  };
  return {
    url: server.url,
    dir,
    stop,
    async again() {
      server = await startQdrantServer({ dir, port: server.port });
      running = true;
    },
    async remove() {
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
