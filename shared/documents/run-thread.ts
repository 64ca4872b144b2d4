import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * Runs a file of this folder in a thread of its own, which is given `task` and answers with one message.
 *
 * @throws what `tooLong` makes when it takes longer than `limitMs`; the thread is ended then.
 */
export async function runThread<Answer>(
  file: string,
  task: unknown,
  { limitMs, tooLong }: { limitMs: number; tooLong: () => Error },
): Promise<Answer> {
  const thread = new Worker(entry(file), { workerData: task });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Answer>((resolve, reject) => {
      timer = setTimeout(() => reject(tooLong()), limitMs);
      thread.once('message', resolve);
      thread.once('error', reject);
      thread.once('exit', (code) => reject(new Error(`${file} ended with exit code ${code}`)));
    });
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}

/** Compiled beside this file; when the sources themselves are run (tests), in the build of the project. */
function entry(file: string): string {
  const beside = fileURLToPath(new URL(file, import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL(`../../dist/shared/documents/${file}`, import.meta.url));
}
