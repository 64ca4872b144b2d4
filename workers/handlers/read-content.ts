import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LocalFile } from '../../shared/adapters/object-store/object-store.js';
import { ObjectMissing } from '../../shared/adapters/object-store/object-store.js';
import { JobFailure } from '../../shared/errors.js';
import { type Chunk, chunk } from '../../shared/knowledge/chunking/chunk.js';
import { mimeTypes } from '../../shared/knowledge/extraction/mime-types.js';
import { chunksPerJob } from '../../shared/knowledge/limits.js';
import { type ReadTask, storeBatch } from '../../shared/knowledge/reading.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';
import { announceProgress } from './version-progress.js';

/**
 * Reads what of a version is not read yet, and stores it in batches, each with the place that was reached: whoever
 * goes on from there makes the same passages, and skips those that are stored.
 *
 * @returns false when the entry was deleted meanwhile.
 * @throws ExtractionFailed when the file is at fault.
 */
export async function readContent(ctx: WorkerContext, job: JobRun<'ingest-version'>, task: ReadTask): Promise<boolean> {
  const stop = new AbortController();
  const signal = AbortSignal.any([job.signal, stop.signal]);
  const file = await openContent(ctx, task, signal);
  let { chunkCount: stored, checkpoint } = task;
  let mimeType: string | null = null;
  let batch: Chunk[] = [];

  async function store(): Promise<boolean> {
    const last = batch.at(-1);
    if (!last) return true;
    const read = {
      chunks: batch.map(toNewChunk),
      checkpoint,
      page: last.page ?? last.slide ?? null,
      share: last.done,
      mimeType,
    };
    const ready = await ctx.database.transaction(async (tx) => {
      await job.guard(tx);
      return storeBatch(tx, task, stored, read);
    });
    if (!ready) return false;
    stored += batch.length;
    batch = [];
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
      if (batch.length >= chunksPerJob && !(await store())) return false;
    }
    return await store();
  } finally {
    stop.abort();
    await file.release();
  }
}

async function openContent(ctx: WorkerContext, task: ReadTask, signal: AbortSignal): Promise<LocalFile> {
  if (task.content !== null) return writeText(task.content);
  try {
    return await ctx.objects.localFile(task.objectKey ?? '', signal);
  } catch (error) {
    if (!(error instanceof ObjectMissing)) throw error;
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
