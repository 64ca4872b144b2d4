import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createExtractor, type Extraction } from '../../shared/knowledge/extraction/extract.js';
import type { ExtractedPart } from '../../shared/knowledge/extraction/part.js';

/** Reads files that tests make. */
export type FileReader = {
  /** The parts of a file of this name, from where it says. @throws ExtractionFailed */
  partsOf(name: string, content: string | Buffer, from?: Extraction['from']): Promise<ExtractedPart[]>;
  /** Its text, with one space wherever there is any. */
  textOf(name: string, content: string | Buffer): Promise<string>;
  /** Its lines as they are. */
  linesOf(name: string, content: string | Buffer): Promise<string[]>;
  /** The paths of headings, in the order of their parts. */
  headingsOf(name: string, content: string | Buffer): Promise<string[][]>;
  close(): Promise<void>;
};

export async function startFileReader(): Promise<FileReader> {
  const extractor = createExtractor();
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-files-'));
  async function partsOf(name: string, content: string | Buffer, from?: Extraction['from']): Promise<ExtractedPart[]> {
    const file = path.join(folder, name);
    await writeFile(file, content);
    const parts: ExtractedPart[] = [];
    for await (const part of extractor.extract({ path: file, name, from })) parts.push(part);
    return parts;
  }
  return {
    partsOf,
    async textOf(name, content) {
      const parts = await partsOf(name, content);
      return parts
        .map(({ text }) => text)
        .join('')
        .replaceAll(/\s+/g, ' ')
        .trim();
    },
    linesOf: async (name, content) =>
      (await partsOf(name, content)).flatMap(({ text }) => text.split('\n').map((line) => line.trim())),
    headingsOf: async (name, content) => (await partsOf(name, content)).map(({ headingPath }) => headingPath),
    async close() {
      extractor.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
