import { createHash } from 'node:crypto';
import type { QdrantClient } from '@qdrant/js-client-rest';
import { statusOf } from './qdrant-errors.js';
import { denseVector, sparseVector } from './query.js';
import { type CollectionState, type PayloadIndexes, VectorStoreError } from './vector-store.js';

/** What a collection is made for. */
export type CollectionPlan = {
  /** The name that the application uses; physical collections are behind it. */
  alias: string;
  model: string;
  size: number;
  indexes: PayloadIndexes;
};

/** The physical collection that the alias stands for. */
export async function inService(client: QdrantClient, { alias }: CollectionPlan): Promise<string | null> {
  return (await targetsOf(client)).get(alias) ?? null;
}

/**
 * The name that requests go to: an alias that processes of one model have to themselves. While another model is put into
 * service they go on with what they know, until they are started again; vectors of one never get among the other's.
 */
export const requestAlias = (plan: CollectionPlan): string => prefixOf(plan).slice(0, -1);

/** Whether the collection was made for this model and size. */
export const fits = (plan: CollectionPlan, collection: string): boolean => collection.startsWith(prefixOf(plan));

async function targetsOf(client: QdrantClient): Promise<Map<string, string>> {
  const { aliases } = await client.getAliases();
  return new Map(aliases.map(({ alias_name, collection_name }) => [alias_name, collection_name]));
}

/** Collections of this alias, whatever their model, the oldest of each model first. */
export async function collectionsOf(client: QdrantClient, { alias }: CollectionPlan): Promise<string[]> {
  const { collections } = await client.getCollections();
  const numbered = collections.flatMap(({ name }) => {
    const match = name.startsWith(`${alias}_`) ? /^([0-9a-f]{8})_(\d+)$/.exec(name.slice(alias.length + 1)) : null;
    return match ? [{ name, number: Number(match[2]) }] : [];
  });
  return numbered.sort((a, b) => a.number - b.number).map(({ name }) => name);
}

export async function checkCollection(client: QdrantClient, plan: CollectionPlan): Promise<CollectionState> {
  let collection = await inService(client, plan);
  if (collection === null) {
    const { exists } = await client.collectionExists(plan.alias);
    if (!exists) return { state: 'missing' };
    // Aliases count as existing, too: another process that starts may just have made it.
    collection = await inService(client, plan);
    if (collection === null) return { state: 'mismatch', collection: plan.alias, message: sayTaken(plan) };
  }
  const { config } = await client.getCollection(collection);
  const size = (config.params.vectors as Record<string, { size?: number }> | undefined)?.[denseVector]?.size;
  if (size !== plan.size) return mismatch(plan, collection, `its vectors have ${size ?? 'no'} numbers`);
  if (!fits(plan, collection)) return mismatch(plan, collection, 'it was made for another model');
  return { state: 'ready', collection };
}

/**
 * Makes an empty collection that no alias points to, with a number that none of this alias had.
 *
 * @throws VectorStoreError `vector_store_mismatch` where it could never be put into service.
 */
export async function makeCollection(client: QdrantClient, plan: CollectionPlan): Promise<string> {
  const found = await checkCollection(client, plan);
  if (found.state === 'mismatch' && found.collection === plan.alias) {
    throw new VectorStoreError('vector_store_mismatch', found.message, { transient: false });
  }
  const numbers = (await collectionsOf(client, plan)).map((name) => Number(name.slice(name.lastIndexOf('_') + 1)));
  return createNumbered(client, plan, Math.max(0, ...numbers) + 1);
}

/** Makes what is missing: collection, indexes, alias. Several processes may do it at once. */
export async function ensureCollection(
  client: QdrantClient,
  plan: CollectionPlan,
): Promise<{ collection: string; created: boolean }> {
  const found = await checkCollection(client, plan);
  if (found.state === 'mismatch') {
    throw new VectorStoreError('vector_store_mismatch', found.message, { transient: false });
  }
  if (found.state === 'ready') {
    await createIndexes(client, plan, found.collection);
    await pointAliases(client, plan, found.collection);
    return { collection: found.collection, created: false };
  }
  // All who start at once choose this same name, so that none of them is left with a collection of its own.
  const left = (await collectionsOf(client, plan)).filter((name) => fits(plan, name));
  const collection = left.at(-1) ?? (await createNumbered(client, plan, 1));
  await createIndexes(client, plan, collection);
  await pointAliases(client, plan, collection);
  return { collection, created: true };
}

/** Puts `collection` into service, in one step. @returns what was in service before. */
export async function pointAliases(
  client: QdrantClient,
  plan: CollectionPlan,
  collection: string,
): Promise<string | null> {
  const targets = await targetsOf(client);
  const actions = [plan.alias, requestAlias(plan)].flatMap((alias) => {
    const before = targets.get(alias);
    if (before === collection) return [];
    const create = { create_alias: { alias_name: alias, collection_name: collection } };
    return before === undefined ? [create] : [{ delete_alias: { alias_name: alias } }, create];
  });
  if (actions.length > 0) await client.updateCollectionAliases({ actions });
  return targets.get(plan.alias) ?? null;
}

async function createNumbered(client: QdrantClient, plan: CollectionPlan, number: number): Promise<string> {
  const name = `${prefixOf(plan)}${number}`;
  await client
    .createCollection(name, {
      vectors: { [denseVector]: { size: plan.size, distance: 'Cosine', on_disk: true } },
      // The index of terms stays in memory: it is small, and every search reads it.
      sparse_vectors: { [sparseVector]: { modifier: 'idf' } },
      on_disk_payload: true,
    })
    .catch((error: unknown) => {
      // Somebody else has just made it.
      if (statusOf(error) !== 409) throw error;
    });
  await createIndexes(client, plan, name);
  return name;
}

async function createIndexes(client: QdrantClient, plan: CollectionPlan, collection: string): Promise<void> {
  const { payload_schema: present } = await client.getCollection(collection);
  for (const [field, schema] of Object.entries(plan.indexes)) {
    if (present[field]?.data_type === schema) continue;
    await client.createPayloadIndex(collection, { field_name: field, field_schema: schema, wait: true });
  }
}

/** What the vectors mean is part of the name: two models of one size would otherwise pass for each other. */
function prefixOf({ alias, model, size }: CollectionPlan): string {
  const hash = createHash('sha256').update(`${model}\n${size}`).digest('hex').slice(0, 8);
  return `${alias}_${hash}_`;
}

/** An alias cannot have the name of a collection, and what somebody else keeps there is not ours to delete. */
function sayTaken({ alias }: CollectionPlan): string {
  return (
    `The collection ${alias} was not made by Millrace, which needs that name for an alias. Set QDRANT_COLLECTION to a ` +
    'name that is free, or delete that collection.'
  );
}

function mismatch({ alias, model, size }: CollectionPlan, collection: string, reason: string): CollectionState {
  const message =
    `The collection ${collection} behind ${alias} does not fit the embedding model ${model} with ${size} numbers: ` +
    `${reason}. Run \`npm run reindex\` to build a new one from Postgres and switch to it, or set EMBEDDING_MODEL ` +
    'and QDRANT_VECTOR_SIZE back to what they were.';
  return { state: 'mismatch', collection, message };
}
