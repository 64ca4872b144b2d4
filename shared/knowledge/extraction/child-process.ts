import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { constants, setPriority, tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { JobFailure } from '../../errors.js';
import { ExtractionFailed, tookTooLong } from './failure.js';
import { type Answer, answerDescriptor, answerSchema, type ExtractionRequest } from './protocol.js';

/** A process that reads files, one at a time. */
export type Reader = {
  readonly pid: number | undefined;
  readonly memoryBytes: number;
  /** How many files it has been given. */
  readonly files: number;
  /** The answers about one file, as they come; the next one may be asked for after the last answer. */
  ask(request: ExtractionRequest): AsyncGenerator<Answer>;
  kill(): void;
};

/** V8 gives up at a part of the limit, with a message, before the watchdog ends the process without one. */
const heapShare = 0.6;
const maxErrorChars = 4_000;

/** Starts a process whose resident memory may not pass `memoryBytes`. */
export function startReader(memoryBytes: number): Reader {
  const heapMb = Math.max(32, Math.floor((memoryBytes * heapShare) / 1024 / 1024));
  /** Named here, because a process that is ended in the middle of a file cannot remove what it has put there. */
  const scratch = path.join(tmpdir(), `millrace-${randomUUID()}`);
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, entry(), String(memoryBytes), scratch], {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    // Nothing of the settings: what reads strangers' files knows no secret.
    env: {},
  });
  giveWay(child.pid);
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-maxErrorChars)));
  child.stdin?.on('error', () => undefined);
  const exited = new Promise<Error>((resolve) => {
    child.once('error', resolve);
    child.once('exit', (code, signal) => {
      rm(scratch, { recursive: true, force: true }).catch(() => undefined);
      resolve(reasonOf(code, signal, errors));
    });
  });
  const lines = linesOf(child.stdio[answerDescriptor] as Readable);
  hold(child, false);
  let files = 0;

  return {
    pid: child.pid,
    memoryBytes,
    get files() {
      return files;
    },
    async *ask(request) {
      files += 1;
      hold(child, true);
      child.stdin?.write(`${JSON.stringify(request)}\n`);
      for (;;) {
        const line = await lines.next();
        if (line.done) throw await exited;
        const answer = answerSchema.parse(JSON.parse(line.value));
        if (answer.kind !== 'type' && answer.kind !== 'part') hold(child, false);
        yield answer;
      }
    },
    kill() {
      child.kill('SIGKILL');
      // Also here: this process may be about to end, and then hears no more of the other one's exit.
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/**
 * Reading is what takes long and can wait: whoever shares the machine (web, queues, Postgres) goes first.
 */
function giveWay(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, or the system has no priorities: it reads all the same.
  }
}

/** Only a process that reads keeps this one from ending. */
function hold(child: ChildProcess, on: boolean): void {
  for (const handle of [child, ...child.stdio]) {
    const referable = handle as { ref?: () => void; unref?: () => void } | null;
    if (on) referable?.ref?.();
    else referable?.unref?.();
  }
}

/** Compiled beside this file; when the sources themselves are run (tests), in the build of the project. */
function entry(): string {
  const beside = fileURLToPath(new URL('./child.js', import.meta.url));
  if (existsSync(beside)) return beside;
  const built = fileURLToPath(new URL('../../../dist/shared/knowledge/extraction/child.js', import.meta.url));
  if (!existsSync(built)) throw new Error('the process that reads files is not built: run npm run build');
  return built;
}

function reasonOf(code: number | null, signal: NodeJS.Signals | null, errors: string): Error {
  const cause = `${signal ?? `exit code ${code}`} ${errors.slice(-500)}`.trim();
  // Not by us: the kernel, when the machine has no memory left, takes what it finds, whoever used it up.
  if (signal === 'SIGKILL') {
    const message = 'Reading the file was ended by the system: its memory may have been used up.';
    return new JobFailure('reader_killed', message, { transient: true, cause });
  }
  // SIGUSR2 and SIGXCPU are the watchdog, SIGABRT is V8 out of heap.
  if (signal === 'SIGUSR2' || /out of memory|allocation failed/i.test(errors)) {
    return new ExtractionFailed('out_of_memory', 'Reading the file takes more memory than is allowed.', cause);
  }
  if (signal === 'SIGXCPU') return tookTooLong(cause);
  return new ExtractionFailed('damaged', 'The file is damaged: reading it ended the reader.', cause);
}

/** Reads no further than asked: that makes a slow consumer hold the process up. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  try {
    for await (const bytes of stream.iterator({ destroyOnReturn: false })) {
      let rest = bytes as Buffer;
      for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
        pieces.push(rest.subarray(0, end));
        rest = rest.subarray(end + 1);
        const line = Buffer.concat(pieces).toString();
        pieces = [];
        yield line;
      }
      if (rest.length > 0) pieces.push(rest);
    }
  } catch {
    // The process ended in the middle of an answer; how it ended says more.
  }
}
