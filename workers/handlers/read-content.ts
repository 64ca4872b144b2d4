import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LocalFile } from '../../shared/adapters/object-store/object-store.js';
import { ObjectMissing, StorageUnavailable } from '../../shared/adapters/object-store/object-store.js';
import { JobFailure } from '../../shared/errors.js';
import { type Chunk, chunk } from '../../shared/knowledge/chunking/chunk.js';
import { mimeTypes } from '../../shared/knowledge/extraction/mime-types.js';
import { chunksPerJob } from '../../shared/knowledge/limits.js';
import { type ReadBatch, type ReadTask, storeBatch } from '../../shared/knowledge/reading.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';
import { announceProgress } from './version-progress.js';

/** The last passages of a content, for the transaction that says that all of it was read. */
export type LastBatch = { from: number; batch: ReadBatch } | 'stored';

/**
 * Reads what of a version is not read yet, and stores it in batches, each with the place that was reached: whoever
 * goes on from there makes the same passages, and skips those that are stored. The last batch is its caller's to store.
 *
 * @returns null when the entry was deleted meanwhile.
 * @throws ExtractionFailed when the file is at fault.
 */
export async function readContent(
  ctx: WorkerContext,
  job: JobRun<'ingest-version'>,
  task: ReadTask,
): Promise<LastBatch | null> {
  const stop = new AbortController();
  const signal = AbortSignal.any([job.signal, stop.signal]);
  // Before the first page is read, which may take long: it is not waiting any more. Nobody waits for that to be told.
  const told = announceProgress(ctx, task.versionId, []);
  told.catch(() => {});
  const file = await openContent(ctx, task, signal);
  let { chunkCount: stored, checkpoint } = task;
  let mimeType: string | null = null;
  let batch: Chunk[] = [];

  function take(): LastBatch {
    const last = batch.at(-1);
    if (!last) return 'stored';
    const chunks = batch.map(toNewChunk);
    const page = last.page ?? last.slide ?? null;
    return { from: stored, batch: { chunks, checkpoint, page, share: last.done, mimeType } };
  }

  async function store(read: { from: number; batch: ReadBatch }): Promise<boolean> {
    const ready = await ctx.database.transaction(async (tx) => {
      await job.guard(tx);
      return storeBatch(tx, task, read);
    });
    if (!ready) return false;
    stored += read.batch.chunks.length;
    batch = [];
    await told;
    await announceProgress(ctx, task.versionId, [ready]);
    return true;
  }

  try {
    const parts = ctx.extractor.extract({
      path: file.path,
      name: task.fileName ?? 'entry.md',
      signal,
      from: checkpoint?.resume,
      onType: (type) => (mimeType = mimeTypes[type]),
    });
    for await (const found of chunk(parts, checkpoint ?? undefined)) {
      if (found.index >= stored) batch.push(found);
      checkpoint = found.checkpoint ?? checkpoint;
      if (batch.length < chunksPerJob) continue;
      const full = take();
      if (full !== 'stored' && !(await store(full))) return null;
    }
    await told;
    return take();
  } finally {
    stop.abort();
    await file.release();
  }
}

async function openContent(ctx: WorkerContext, task: ReadTask, signal: AbortSignal): Promise<LocalFile> {
  if (task.content !== null) return writeText(task.content);
  const { storageOutage: outage } = ctx;
  const away = outage.recent();
  if (away) throw away.error;
  const askedAt = performance.now();
  try {
    const file = await ctx.objects.localFile(task.objectKey ?? '', signal);
    outage.over(askedAt);
    return file;
  } catch (error) {
    if (error instanceof StorageUnavailable) outage.found(error);
    if (!(error instanceof ObjectMissing)) throw error;
    outage.over(askedAt);
    // With storage on a disk that this process does not share with the web process it will never be there.
    const message = 'The file is not in the storage of this worker. An operator has to look at STORAGE.';
    throw new JobFailure('file_missing', message, { transient: true, cause: error });
  }
}

async function writeText(content: string): Promise<LocalFile> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-'));
  const file = path.join(folder, 'entry.md');
  await writeFile(file, content, { mode: 0o600 });
  return { path: file, release: () => rm(folder, { recursive: true, force: true }) };
}

const toNewChunk = ({ page, sheet, slide, language, ...rest }: Chunk) => ({
  ...rest,
  page: page ?? null,
  sheet: sheet ?? null,
  slide: slide ?? null,
  language: language ?? null,
});
