import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createExtractor } from '../../shared/knowledge/extraction/extract.js';

/** Reads files that tests make. */
export type FileReader = {
  /** The text of a file of this name, with one space wherever there is any. @throws ExtractionFailed */
  textOf(name: string, content: string | Buffer): Promise<string>;
  close(): Promise<void>;
};

export async function startFileReader(): Promise<FileReader> {
  const extractor = createExtractor();
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-files-'));
  return {
    async textOf(name, content) {
      const file = path.join(folder, name);
      await writeFile(file, content);
      let text = '';
      for await (const part of extractor.extract({ path: file, name })) text += part.text;
      return text.replaceAll(/\s+/g, ' ').trim();
    },
    async close() {
      extractor.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
