import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { wrongInput } from './errors.js';
import { matchingSlots } from './filter.js';
import { keptFile } from './kept-file.js';
import { type LogRecord, openLog } from './log.js';
import { createPoints, type Points, type StoredPoint } from './points.js';
import { toUnitLength } from './query.js';
import type { CreateCollection, CreateIndex, Filter, Payload, UpsertRequest } from './requests.js';
import type { Sparse } from './sparse-index.js';

/** What is kept of a collection beside its points. */
type Description = { config: CreateCollection; indexes: Record<string, CreateIndex['field_schema']> };

/** A collection: its points in memory, and every change of them in a log on disk. */
export type Collection = Readonly<Description> & {
  readonly points: Points;
  /** Number of the last change. */
  readonly version: number;
  /** Each resolves when the change is in the file; it is seen at once. */
  upsert(points: UpsertRequest['points']): Promise<void>;
  remove(ids: string[]): Promise<void>;
  setPayload(ids: string[], payload: Payload): Promise<void>;
  addIndex(index: CreateIndex): Promise<void>;
  idsOf(filter: Filter): string[];
  close(): Promise<void>;
  /** Closes it and deletes its files. */
  destroy(): Promise<void>;
};

type Change =
  | { op: 'put'; id: string; payload: Payload; sparse: Record<string, Sparse>; dense: [name: string, size: number][] }
  | { op: 'remove'; ids: string[] }
  | { op: 'payload'; ids: string[]; payload: Payload };

const descriptionFile = 'collection.json';
/** The log is rewritten when it is longer than this and more than half of it is history. */
const minCompactBytes = 32 * 1024 * 1024;

export async function createCollection(folder: string, config: CreateCollection): Promise<Collection> {
  await mkdir(folder, { recursive: true });
  await keptFile(path.join(folder, descriptionFile)).write({ config, indexes: {} });
  return openCollection(folder);
}

/** A folder becomes a collection with its description, and stops to be one without it. */
export function isCollection(folder: string): boolean {
  return existsSync(path.join(folder, descriptionFile));
}

/** @throws when a file cannot be read. */
export async function openCollection(folder: string): Promise<Collection> {
  const { config, indexes } = JSON.parse(await readFile(path.join(folder, descriptionFile), 'utf8')) as Description;
  const description = keptFile(path.join(folder, descriptionFile));
  const points = createPoints(config);
  for (const field of Object.keys(indexes)) points.addIndex(field);
  let version = 0;
  const log = await openLog(path.join(folder, 'points.log'), (record) => {
    apply(points, record);
    version += 1;
  });
  /** Changes in the file: those of points that are gone or were written again included. */
  let logged = version;
  let compacting = false;

  async function change(records: LogRecord[]): Promise<void> {
    for (const record of records) apply(points, record);
    version += records.length;
    logged += records.length;
    await log.append(records);
    compactIfDue();
  }

  /** Not awaited: changes may go on meanwhile, they come after it in the file. */
  function compactIfDue(): void {
    if (compacting || log.size < minCompactBytes || logged < points.count * 2) return;
    compacting = true;
    logged = points.count;
    void log
      .rewrite(() => allOf(points))
      // The file is as it was then, and the next change tries again.
      .catch(() => (logged = Number.POSITIVE_INFINITY))
      .finally(() => (compacting = false));
  }

  return {
    config,
    indexes,
    points,
    get version() {
      return version;
    },
    upsert: (list) => change(list.map((point) => toRecord(checked(config, point)))),
    remove: (ids) => change(ids.length === 0 ? [] : [{ header: { op: 'remove', ids }, floats: new Float32Array() }]),
    setPayload: (ids, payload) =>
      change(ids.length === 0 ? [] : [{ header: { op: 'payload', ids, payload }, floats: new Float32Array() }]),
    async addIndex({ field_name: field, field_schema: schema }) {
      points.addIndex(field);
      indexes[field] = schema;
      await description.write({ config, indexes });
    },
    idsOf: (filter) => matchingSlots(points, filter).map((slot) => points.idOf(slot) as string),
    close: () => log.close(),
    async destroy() {
      // Without its description the folder is nothing, however the process ends after this.
      await rm(path.join(folder, descriptionFile), { force: true });
      await log.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function checked(config: CreateCollection, { id, vector, payload }: UpsertRequest['points'][number]): StoredPoint {
  const point: StoredPoint = { id, payload: payload ?? {}, dense: {}, sparse: {} };
  for (const [name, value] of Object.entries(vector)) {
    const size = config.vectors[name]?.size;
    if (Array.isArray(value) && size !== undefined) {
      if (value.length !== size) {
        throw wrongInput(`Vector dimension error: expected dim: ${size}, got ${value.length}`);
      }
      point.dense[name] = toUnitLength(value);
    } else if (!Array.isArray(value) && config.sparse_vectors[name]) {
      point.sparse[name] = value;
    } else {
      throw wrongInput(`Not existing vector name error: ${name}`);
    }
  }
  const missing = Object.keys(config.vectors).find((name) => !point.dense[name]);
  if (missing !== undefined) throw wrongInput(`the stand-in wants every point to have the vector ${missing}`);
  return point;
}

function toRecord({ id, payload, sparse, dense }: StoredPoint): LogRecord {
  const vectors = Object.entries(dense);
  const floats = new Float32Array(vectors.reduce((sum, [, vector]) => sum + vector.length, 0));
  let at = 0;
  for (const [, vector] of vectors) {
    floats.set(vector, at);
    at += vector.length;
  }
  const change: Change = { op: 'put', id, payload, sparse, dense: vectors.map(([name, { length }]) => [name, length]) };
  return { header: change, floats };
}

function apply(points: Points, { header, floats }: LogRecord): void {
  const change = header as Change;
  if (change.op === 'remove') {
    for (const id of change.ids) points.remove(id);
  } else if (change.op === 'payload') {
    for (const id of change.ids) {
      const slot = points.slotOf(id);
      if (slot !== undefined) points.setPayload(id, { ...points.payloadOf(slot), ...change.payload });
    }
  } else {
    const { id, payload, sparse } = change;
    const dense: Record<string, Float32Array> = {};
    let at = 0;
    for (const [name, size] of change.dense) {
      dense[name] = floats.subarray(at, at + size);
      at += size;
    }
    points.put({ id, payload, sparse, dense });
  }
}

function* allOf(points: Points): Generator<LogRecord> {
  for (const id of points.ids()) {
    const point = points.get(id);
    if (point) yield toRecord(point);
  }
}
