import { type Reader, startReader } from './child-process.js';
import { ExtractionFailed, type FailureCode, tookTooLong } from './failure.js';
import { defaultLimits, type Limits } from './limits.js';
import type { ExtractedPart, FileType, ResumePoint } from './part.js';
import type { Answer, ExtractionRequest } from './protocol.js';

/** A file to be read. */
export type Extraction = {
  path: string;
  /** The name it was uploaded with: tells CSV and Markdown from plain text, nothing else. */
  name?: string | undefined;
  /** What differs from the limits of the extractor. */
  limits?: Partial<Limits> | undefined;
  /** Ends the reading; the reason of the signal is thrown. */
  signal?: AbortSignal | undefined;
  /** Where to begin: the `resume` of the last part that was kept. */
  from?: ResumePoint | undefined;
  /** Told as soon as the type is known, and again when the number of pages, slides or sheets is. */
  onType?: (type: FileType, pages: number | undefined) => void;
};

/** Reads files in processes of their own, which are kept for the next file. */
export type Extractor = {
  /** @throws {ExtractionFailed} when the file is at fault; anything else may pass when tried again. */
  extract(extraction: Extraction): AsyncGenerator<ExtractedPart>;
  /** Ends every process. */
  close(): void;
};

/** After so many files a process is replaced, whatever it may have gathered. */
const maxFilesPerReader = 200;
/**
 * Its successor is started so many files before: on a busy machine it takes 1 to 3 seconds to load, and every 200th file
 * waited for that.
 */
const headStart = 40;
/** Failures of sound files. */
const harmless = new Set<FailureCode>(['empty', 'no_text', 'unknown_type', 'encrypted']);

/**
 * Makes an extractor. Processes are started when files come: at most as many as are read at once.
 *
 * @param maxIdle processes that are kept for the next file. Fewer than are read at once cost a start, which takes
 * longer than a short file, again and again.
 */
export function createExtractor(limits: Limits = defaultLimits, maxIdle = 2): Extractor {
  const idle: Reader[] = [];
  const all = new Set<Reader>();

  function start(memoryBytes: number): Reader {
    const started = startReader(memoryBytes);
    all.add(started);
    return started;
  }

  function take(memoryBytes: number): Reader {
    const at = idle.findIndex((reader) => reader.memoryBytes === memoryBytes);
    return (at >= 0 ? idle.splice(at, 1)[0] : undefined) ?? start(memoryBytes);
  }

  function giveBack(reader: Reader, reusable: boolean): void {
    const tried = idle.filter(({ files }) => files > 0).length;
    if (reusable && reader.files < maxFilesPerReader && tried < maxIdle && all.has(reader)) {
      // Before those that may still be loading.
      idle.unshift(reader);
      if (reader.files === maxFilesPerReader - headStart) idle.push(start(reader.memoryBytes));
      return;
    }
    all.delete(reader);
    reader.kill();
  }

  return {
    async *extract({ path, name, limits: own, signal, from, onType }) {
      signal?.throwIfAborted();
      const request: ExtractionRequest = { path, name, limits: { ...limits, ...own }, from };
      const reader = take(request.limits.memoryBytes);
      let reusable = false;
      try {
        for await (const answer of timed(reader, request, signal)) {
          if (answer.kind === 'type') onType?.(answer.type, answer.pages);
          else if (answer.kind === 'part') yield answer.part;
          else {
            // One that met a bad file is replaced: who knows what it left behind.
            reusable = answer.kind === 'end' || (answer.kind === 'failed' && harmless.has(answer.code));
            if (answer.kind === 'failed') throw new ExtractionFailed(answer.code, answer.message, answer.cause);
            if (answer.kind === 'error') throw new Error(`the file could not be read: ${answer.message}`);
            return;
          }
        }
      } finally {
        giveBack(reader, reusable);
      }
    },
    close() {
      for (const reader of all) reader.kill();
      all.clear();
      idle.length = 0;
    },
  };
}

/** The answers of a process, which is ended when it has worked too long or nobody wants the rest. */
async function* timed(reader: Reader, request: ExtractionRequest, signal?: AbortSignal): AsyncGenerator<Answer> {
  const answers = reader.ask(request);
  let leftMs = request.limits.timeMs;
  let late = false;
  const abort = (): void => reader.kill();
  signal?.addEventListener('abort', abort);
  try {
    for (;;) {
      const startedAt = performance.now();
      const timer = setTimeout(() => {
        late = true;
        reader.kill();
      }, leftMs);
      let next: IteratorResult<Answer>;
      try {
        next = await answers.next();
      } catch (error) {
        signal?.throwIfAborted();
        throw late ? tookTooLong() : error;
      } finally {
        clearTimeout(timer);
      }
      leftMs -= performance.now() - startedAt;
      if (next.done) return;
      yield next.value;
      signal?.throwIfAborted();
    }
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
