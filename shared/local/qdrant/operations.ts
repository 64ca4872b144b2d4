import type { z } from 'zod';
import type { Collection } from './collection.js';
import { describeCollection } from './describe.js';
import { wrongInput } from './errors.js';
import { matching } from './filter.js';
import { runQuery } from './query.js';
import * as requests from './requests.js';
import type { Store } from './store.js';

/** An operation of the API: resolves to the `result` of its answer. */
export type Operation = {
  method: string;
  /** `{name}` stands for a collection or alias. */
  path: string;
  run: (store: Store, name: string, body: unknown) => unknown;
};

/** The operations that the stand-in knows. */
export const operations: Operation[] = [
  { method: 'GET', path: '/collections', run: (store) => ({ collections: store.names().map((name) => ({ name })) }) },
  { method: 'GET', path: '/aliases', run: (store) => ({ aliases: store.aliases() }) },
  {
    method: 'POST',
    path: '/collections/aliases',
    run: async (store, _name, body) => {
      await store.changeAliases(parse(requests.aliasesRequest, body).actions);
      return true;
    },
  },
  { method: 'GET', path: '/collections/{name}', run: (store, name) => describeCollection(store.find(name)) },
  { method: 'GET', path: '/collections/{name}/exists', run: (store, name) => ({ exists: store.has(name) }) },
  {
    method: 'PUT',
    path: '/collections/{name}',
    run: async (store, name, body) => {
      await store.create(name, parse(requests.createCollectionRequest, body));
      return true;
    },
  },
  { method: 'DELETE', path: '/collections/{name}', run: (store, name) => store.remove(name) },
  {
    method: 'PUT',
    path: '/collections/{name}/index',
    run: (store, name, body) =>
      changed(store, name, requests.createIndexRequest, body, (to, index) => to.addIndex(index)),
  },
  {
    method: 'PUT',
    path: '/collections/{name}/points',
    run: (store, name, body) =>
      changed(store, name, requests.upsertRequest, body, (to, { points }) => to.upsert(points)),
  },
  {
    method: 'POST',
    path: '/collections/{name}/points/delete',
    run: (store, name, body) =>
      changed(store, name, requests.pointsSelector, body, (from, selected) =>
        from.remove('points' in selected ? selected.points : from.idsOf(selected.filter)),
      ),
  },
  {
    method: 'POST',
    path: '/collections/{name}/points/payload',
    run: (store, name, body) =>
      changed(store, name, requests.setPayloadRequest, body, (of, { payload, points, filter }) => {
        if (!points && !filter) throw wrongInput('either points or filter must be provided');
        return of.setPayload(points ?? of.idsOf(filter ?? {}), payload);
      }),
  },
  {
    method: 'POST',
    path: '/collections/{name}/points/query',
    run: (store, name, body) => {
      const collection = store.find(name);
      const request = parse(requests.queryRequest, body);
      const hits = runQuery(collection.points, request).map(({ slot, score }) => ({
        ...recordOf(collection, slot, request.with_payload ?? false),
        version: collection.version,
        score,
      }));
      return { points: hits };
    },
  },
  {
    method: 'POST',
    path: '/collections/{name}/points/scroll',
    run: (store, name, body) => scroll(store.find(name), parse(requests.scrollRequest, body)),
  },
  {
    method: 'POST',
    path: '/collections/{name}/points/count',
    run: (store, name, body) => {
      const { points } = store.find(name);
      const { filter } = parse(requests.countRequest, body);
      return { count: matching(points, filter).reduce((sum, one) => sum + one, 0) };
    },
  },
];

async function changed<S extends z.ZodType>(
  store: Store,
  name: string,
  schema: S,
  body: unknown,
  change: (collection: Collection, request: z.infer<S>) => Promise<void>,
): Promise<unknown> {
  const collection = store.find(name);
  await change(collection, parse(schema, body));
  return { operation_id: collection.version, status: 'completed' };
}

function scroll(collection: Collection, request: requests.ScrollRequest): unknown {
  const { points } = collection;
  const mask = matching(points, request.filter);
  const found: number[] = [];
  let next: string | null = null;
  for (const id of points.ids()) {
    const slot = points.slotOf(id) as number;
    if ((request.offset && id < request.offset) || mask[slot] !== 1) continue;
    if (found.length === request.limit) {
      next = id;
      break;
    }
    found.push(slot);
  }
  const records = found.map((slot) => recordOf(collection, slot, request.with_payload ?? true));
  return { points: records, next_page_offset: next };
}

function recordOf({ points }: Collection, slot: number, fields: boolean | string[]): { id: string; payload?: unknown } {
  const id = points.idOf(slot) as string;
  if (fields === false) return { id };
  const payload = points.payloadOf(slot);
  if (fields === true) return { id, payload };
  return { id, payload: Object.fromEntries(Object.entries(payload).filter(([key]) => fields.includes(key))) };
}

function parse<S extends z.ZodType>(schema: S, body: unknown): z.infer<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw wrongInput(`Format error in JSON body: ${issue?.path.join('.')}: ${issue?.message}`);
}
