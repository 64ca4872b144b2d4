import { rename, writeFile } from 'node:fs/promises';

/** A small JSON file that is always whole: whoever reads it finds what was there before a write or after it. */
export type KeptFile = {
  /** Replaces the content; calls take effect in their order. */
  write(content: unknown): Promise<void>;
};

export function keptFile(file: string): KeptFile {
  let last: Promise<void> = Promise.resolve();
  return {
    write(content) {
      const text = JSON.stringify(content);
      const written = last.then(async () => {
        await writeFile(`${file}.new`, text);
        await rename(`${file}.new`, file);
      });
      last = written.catch(() => {});
      return written;
    },
  };
}
