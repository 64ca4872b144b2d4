import { type LocalFile, ObjectMissing, StorageUnavailable } from '../../shared/adapters/object-store/object-store.js';
import { JobFailure } from '../../shared/errors.js';
import { type Chunk, chunk } from '../../shared/knowledge/chunking/chunk.js';
import { ExtractionFailed } from '../../shared/knowledge/extraction/failure.js';
import { mimeTypes } from '../../shared/knowledge/extraction/mime-types.js';
import type { ExtractedPart, FileType, ResumePoint } from '../../shared/knowledge/extraction/part.js';
import { partsOfText } from '../../shared/knowledge/extraction/text-parts.js';
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
 * @returns null when the entry was deleted meanwhile, or the version has failed.
 * @throws ExtractionFailed when the file is at fault.
 */
export async function readContent(
  ctx: WorkerContext,
  job: JobRun<'ingest-version'>,
  task: ReadTask,
): Promise<LastBatch | null> {
  // Before the first page is read, which may take long: it is not waiting any more. Nobody waits for that to be told,
  // except whoever tells what comes next: told after the end, the job would be on its way again.
  const told = announceProgress(ctx, task.versionId, []);
  const [read] = await Promise.allSettled([readFrom(ctx, job, task, told), told]);
  if (read.status === 'rejected') throw read.reason;
  return read.value;
}

async function readFrom(
  ctx: WorkerContext,
  job: JobRun<'ingest-version'>,
  task: ReadTask,
  told: Promise<unknown>,
): Promise<LastBatch | null> {
  const stop = new AbortController();
  const signal = AbortSignal.any([job.signal, stop.signal]);
  let { chunkCount: stored, checkpoint } = task;
  let mimeType: string | null = null;
  const content = await openContent(ctx, task, {
    signal,
    from: checkpoint?.resume,
    onType: (type) => (mimeType = mimeTypes[type]),
  });
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
    for await (const found of chunk(content.parts, checkpoint ?? undefined)) {
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
    await content.release();
  }
}

type Reading = { signal: AbortSignal; from: ResumePoint | undefined; onType: (type: FileType) => void };
type Content = { parts: AsyncIterable<ExtractedPart>; release(): Promise<void> };

async function openContent(ctx: WorkerContext, task: ReadTask, reading: Reading): Promise<Content> {
  if (task.content !== null) return { parts: readText(task.content, reading), release: async () => {} };
  const { path, release } = await fetchFile(ctx, task.objectKey ?? '', reading.signal);
  return { parts: ctx.extractor.extract({ path, name: task.fileName ?? undefined, ...reading }), release };
}

async function fetchFile(ctx: WorkerContext, objectKey: string, signal: AbortSignal): Promise<LocalFile> {
  const { storageOutage: outage } = ctx;
  const away = outage.recent();
  if (away) throw away.error;
  const askedAt = performance.now();
  try {
    const file = await ctx.objects.localFile(objectKey, signal);
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

/** What people have typed is text whatever it begins with, and goes through no file that a killed worker would leave. */
async function* readText(content: string, { signal, from, onType }: Reading): AsyncGenerator<ExtractedPart> {
  onType('markdown');
  let found = from !== undefined;
  for await (const part of partsOfText(content, from)) {
    signal.throwIfAborted();
    found = true;
    yield part;
  }
  if (!found) throw new ExtractionFailed('empty', 'There is no text in the entry.');
}

const toNewChunk = ({ page, sheet, slide, language, ...rest }: Chunk) => ({
  ...rest,
  page: page ?? null,
  sheet: sheet ?? null,
  slide: slide ?? null,
  language: language ?? null,
});
