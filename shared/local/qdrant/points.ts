import { createDenseIndex, type DenseIndex } from './dense-index.js';
import { wrongInput } from './errors.js';
import { createPayloadIndex, type PayloadIndex } from './payload-index.js';
import type { CreateCollection, Payload } from './requests.js';
import { createSparseIndex, type Sparse, type SparseIndex } from './sparse-index.js';

/** A point with its vectors; dense ones have length 1, as Qdrant keeps them for the cosine. */
export type StoredPoint = {
  id: string;
  payload: Payload;
  dense: Record<string, Float32Array>;
  sparse: Record<string, Sparse>;
};

/** The points of a collection in memory. Each has a slot, a small number that all indexes speak of. */
export type Points = {
  readonly count: number;
  /** All slots are below it; some may be empty. */
  readonly slots: number;
  put(point: StoredPoint): void;
  remove(id: string): void;
  setPayload(id: string, payload: Payload): void;
  get(id: string): StoredPoint | undefined;
  slotOf(id: string): number | undefined;
  idOf(slot: number): string | undefined;
  payloadOf(slot: number): Payload;
  /** All ids, in their order. */
  ids(): readonly string[];
  indexOf(field: string): PayloadIndex | undefined;
  addIndex(field: string): void;
  dense(name: string): { index: DenseIndex; size: number };
  sparse(name: string): { index: SparseIndex; idf: boolean };
};

export function createPoints(config: CreateCollection): Points {
  const slotById = new Map<string, number>();
  const idBySlot: (string | undefined)[] = [];
  const payloads: Payload[] = [];
  const free: number[] = [];
  const indexes = new Map<string, PayloadIndex>();
  const dense = new Map(
    Object.entries(config.vectors).map(([name, { size }]) => [name, { index: createDenseIndex(size), size }]),
  );
  const sparse = new Map(
    Object.entries(config.sparse_vectors).map(([name, { modifier }]) => [
      name,
      { index: createSparseIndex(), idf: modifier === 'idf' },
    ]),
  );
  let sorted: string[] | undefined;

  function forgetPayload(slot: number): void {
    for (const index of indexes.values()) index.remove(slot, payloads[slot] ?? {});
  }

  function setPayload(slot: number, payload: Payload): void {
    forgetPayload(slot);
    payloads[slot] = payload;
    for (const index of indexes.values()) index.add(slot, payload);
  }

  return {
    get count() {
      return slotById.size;
    },
    get slots() {
      return idBySlot.length;
    },
    put({ id, payload, dense: denseVectors, sparse: sparseVectors }) {
      let slot = slotById.get(id);
      if (slot === undefined) {
        slot = free.pop() ?? idBySlot.length;
        slotById.set(id, slot);
        idBySlot[slot] = id;
        sorted = undefined;
      }
      setPayload(slot, payload);
      for (const [name, { index }] of dense) index.set(slot, denseVectors[name] as Float32Array);
      for (const [name, { index }] of sparse) index.set(slot, sparseVectors[name]);
    },
    remove(id) {
      const slot = slotById.get(id);
      if (slot === undefined) return;
      forgetPayload(slot);
      payloads[slot] = {};
      for (const { index } of sparse.values()) index.set(slot, undefined);
      slotById.delete(id);
      idBySlot[slot] = undefined;
      free.push(slot);
      sorted = undefined;
    },
    setPayload(id, payload) {
      const slot = slotById.get(id);
      if (slot !== undefined) setPayload(slot, payload);
    },
    get(id) {
      const slot = slotById.get(id);
      if (slot === undefined) return undefined;
      const sparseOfSlot = [...sparse].flatMap(([name, { index }]) => {
        const vector = index.get(slot);
        return vector ? [[name, vector] as const] : [];
      });
      return {
        id,
        payload: payloads[slot] ?? {},
        dense: Object.fromEntries([...dense].map(([name, { index }]) => [name, index.get(slot)])),
        sparse: Object.fromEntries(sparseOfSlot),
      };
    },
    slotOf: (id) => slotById.get(id),
    idOf: (slot) => idBySlot[slot],
    payloadOf: (slot) => payloads[slot] ?? {},
    ids: () => (sorted ??= [...slotById.keys()].sort()),
    indexOf: (field) => indexes.get(field),
    addIndex(field) {
      if (indexes.has(field)) return;
      const index = createPayloadIndex(field);
      for (const slot of slotById.values()) index.add(slot, payloads[slot] ?? {});
      indexes.set(field, index);
    },
    dense: (name) => known(dense.get(name), name),
    sparse: (name) => known(sparse.get(name), name),
  };
}

function known<T>(found: T | undefined, name: string): T {
  if (found === undefined) throw wrongInput(`Not existing vector name error: ${name}`);
  return found;
}
