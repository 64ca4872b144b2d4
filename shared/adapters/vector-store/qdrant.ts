import type { QdrantClient, Schemas } from '@qdrant/js-client-rest';
import {
  checkCollection,
  type CollectionPlan,
  collectionsOf,
  ensureCollection,
  fits,
  inService,
  makeCollection,
  pointAliases,
  requestAlias,
} from './collections.js';
import { everything, type Filter } from './filter.js';
import { toNumbers } from './numbers.js';
import { createQdrantClient, type QdrantSettings } from './qdrant-client.js';
import { translated } from './qdrant-errors.js';
import { denseVector, sparseVector, toQueryRequest } from './query.js';
import type { Hit, Payload, Point, VectorStore } from './vector-store.js';

/** Numbers in the dense vectors of one request: about 3 MB, of the 32 MB that Qdrant takes. */
const maxNumbers = 200_000;
const maxPoints = 500;
const idsPerRequest = 1_000;
const idsPerPage = 1_000;

/** A vector store in Qdrant, under the alias and for the model that `plan` names. Opens no connection by itself. */
export function createQdrantStore(settings: QdrantSettings, plan: CollectionPlan): VectorStore {
  return storeOf(createQdrantClient(settings), plan, requestAlias(plan));
}

function storeOf(client: QdrantClient, plan: CollectionPlan, name: string): VectorStore {
  const pointsPerRequest = Math.max(1, Math.min(maxPoints, Math.floor(maxNumbers / plan.size)));

  return {
    name,
    check: () => translated(() => checkCollection(client, plan)),
    ensure: () => translated(() => ensureCollection(client, plan)),
    inService: () => translated(() => inService(client, plan)),
    fits: (collection) => fits(plan, collection),

    upsert: (points) =>
      translated(async () => {
        for (const batch of slices(points, pointsPerRequest)) {
          await client.upsert(name, { wait: true, points: batch.map(toPointStruct) });
        }
      }),
    deleteIds: (ids) =>
      translated(async () => {
        for (const batch of slices(ids, idsPerRequest)) await client.delete(name, { wait: true, points: batch });
      }),
    deleteWhere: (filter) => translated(async () => void (await client.delete(name, { wait: true, filter }))),
    setPayload: (payload, filter) =>
      translated(async () => void (await client.setPayload(name, { wait: true, payload, filter }))),

    search: (query) =>
      translated(async () => {
        const { points } = await client.query(name, toQueryRequest(query));
        return points.map(toHit);
      }),
    async *scroll(filter, { fields, pageSize = idsPerPage } = {}) {
      let offset: Schemas['ScrollResult']['next_page_offset'];
      do {
        const from = offset;
        const page = await translated(() =>
          client.scroll(name, {
            filter,
            limit: pageSize,
            with_payload: fields ? [...fields] : false,
            ...(from === undefined ? {} : { offset: from }),
          }),
        );
        yield page.points.map(({ id, payload }) => ({ id: String(id), payload: (payload ?? {}) as Payload }));
        offset = page.next_page_offset ?? undefined;
      } while (offset !== undefined);
    },
    count: (filter: Filter = everything) =>
      translated(async () => (await client.count(name, { filter, exact: true })).count),

    createCollection: () => translated(() => makeCollection(client, plan)),
    within: (collection) => storeOf(client, plan, collection),
    switchTo: (collection) =>
      translated(async () => {
        const before = await pointAliases(client, plan, collection);
        return before === collection ? null : before;
      }),
    deleteCollection: (collection) => translated(async () => void (await client.deleteCollection(collection))),
    collections: () => translated(() => collectionsOf(client, plan)),
  };
}

function toPointStruct({ id, dense, sparse, payload }: Point): Schemas['PointStruct'] {
  const vector = {
    [denseVector]: toNumbers(dense),
    ...(sparse.indices.length === 0 ? {} : { [sparseVector]: sparse }),
  };
  return { id, vector, payload };
}

function toHit({ id, score, payload }: Schemas['ScoredPoint']): Hit {
  return { id: String(id), score, payload: (payload ?? {}) as Payload };
}

function* slices<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
