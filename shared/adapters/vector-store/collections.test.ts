import { expect, test } from 'vitest';
import { testQdrant } from '../../../test/support/qdrant.js';
import { createQdrantClient } from './qdrant-client.js';
import { createQdrantStore } from './qdrant.js';

test('a collection of somebody else that has the name of the alias is told of, and left alone', async () => {
  const qdrant = await testQdrant();
  const { collection: alias } = qdrant;
  try {
    await createQdrantClient(qdrant).createCollection(alias, { vectors: { other: { size: 8, distance: 'Cosine' } } });
    const store = createQdrantStore(qdrant, { alias, model: 'a model', size: 4, indexes: {} });
    const told = expect.stringMatching(/Set QDRANT_COLLECTION to a name that is free/);
    expect(await store.check()).toMatchObject({ state: 'mismatch', collection: alias, message: told });
    const refused = { code: 'vector_store_mismatch', message: told, transient: false };
    await expect(store.ensure()).rejects.toMatchObject(refused);
    // A re-index could not put what it builds into service.
    await expect(store.createCollection()).rejects.toMatchObject(refused);
    expect(await store.collections()).toEqual([]);
  } finally {
    await qdrant.drop();
  }
});
