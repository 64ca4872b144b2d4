import { createWriteStream, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ExtractionFailed } from './failure.js';
import { answerDescriptor, requestSchema, type Answer } from './protocol.js';
import { readParts } from './read-parts.js';
import type { Told } from './watchdog.js';

/**
 * The entry of the process that reads files: one after another as they are asked for on standard input, until
 * that ends. It is expendable. Whatever a file does to it, the parent sees an answer or its end.
 */
const memoryBytes = Number(process.argv[2]);
const scratch = process.argv[3] ?? '';
const answers = createWriteStream('', { fd: answerDescriptor, highWaterMark: 256 * 1024 });
// The parent removes it too, unless it was killed.
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
// The parent has gone or does not want the rest.
answers.on('error', () => process.exit(0));

const watchdog = new Worker(new URL('./watchdog.js', import.meta.url), {
  workerData: { memoryBytes, parentPid: process.ppid, scratch },
  resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  execArgv: [],
});
await once(watchdog, 'online');
watchdog.unref();

const tellEveryMs = 100;
let toldAt = 0;

for await (const line of createInterface({ input: process.stdin })) {
  const request = requestSchema.parse(JSON.parse(line));
  tell({ processorMs: request.limits.processorMs, fruitlessMs: request.limits.fruitlessMs });
  try {
    for await (const answer of readParts(request, { scratch, onAdvance: tellAdvance })) {
      if (answer.kind === 'part') tellAdvance();
      await write(answer);
    }
    tell('ended');
    await write({ kind: 'end' });
  } catch (error) {
    tell('ended');
    await write(failureOf(error));
  }
}
process.exit(0);

function tell(told: Told): void {
  watchdog.postMessage(told, []);
}

/** Steps may be tiny and many: now and then is enough. */
function tellAdvance(): void {
  const now = performance.now();
  if (now - toldAt < tellEveryMs) return;
  toldAt = now;
  tell('advanced');
}

/** Waits until the parent takes it: a reader that is slow makes the parser slow, and nothing piles up. */
async function write(answer: Answer): Promise<void> {
  if (!answers.write(`${JSON.stringify(answer)}\n`)) await once(answers, 'drain');
}

function failureOf(error: unknown): Answer {
  if (error instanceof ExtractionFailed) {
    const { code, message, cause } = error;
    return { kind: 'failed', code, message, cause: describe(cause) };
  }
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && /^(ENOENT|EACCES|EIO|EMFILE|ENFILE|ESTALE|EISDIR)$/.test(code)) {
    return { kind: 'error', message: describe(error) ?? code };
  }
  if (error instanceof RangeError && /Invalid (array|string|typed array)|allocation failed/i.test(error.message)) {
    return { kind: 'failed', code: 'out_of_memory', message: 'Reading the file takes more memory than is allowed.' };
  }
  return {
    kind: 'failed',
    code: 'damaged',
    message: 'The file is damaged: its content could not be read.',
    cause: describe(error),
  };
}

function describe(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  if (cause instanceof Error) return `${cause.name}: ${cause.message}`.slice(0, 500);
  return typeof cause === 'string' ? cause.slice(0, 500) : typeof cause;
}
