import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** A real file and what must become of it, as a line of `manifest.jsonl` says. */
export type Sample = {
  file: string;
  kind: string;
  /** What it takes to open it; nobody is asked for one, so that only an empty one lets it be read. */
  password?: string;
  textLayer?: boolean;
  charsHere?: number;
  expect: { text: string }[];
};

/** How an uploaded file ended. */
export type Ending = { state: string; error: { code: string; message: string } | null; text: string };

/** @param folder has `manifest.jsonl` and the files that it names. */
export async function readSamples(folder: string): Promise<Sample[]> {
  const lines = (await readFile(path.join(folder, 'manifest.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Sample);
}

/** What is wrong with the way a sample ended; null when it is as it should be. */
export function problemOf(sample: Sample, { state, error, text }: Ending): string | null {
  const wanted = failuresOf(sample);
  if (state === 'failed') {
    if (!error || !/^\S.*\.$/.test(error.message)) return 'failed without a reason for people';
    return wanted.includes(error.code) ? null : `failed with ${error.code}: ${error.message}`;
  }
  if (state !== 'ready') return `ended as ${state}`;
  const mayBeReady = wanted.length === 0 || (sample.kind.endsWith('-corrupt') && wanted.includes('damaged'));
  if (!mayBeReady) return `was read, and should have failed with ${wanted.join(' or ')}`;
  const missing = sample.expect.find((passage) => !plain(text).includes(plain(passage.text)));
  return missing ? `"${missing.text}" was not found` : null;
}

/** The codes of which one is right; none when the file can be read. */
function failuresOf({ kind, password, textLayer, charsHere, expect }: Sample): string[] {
  if (password) return ['encrypted'];
  if (kind === 'binary') return ['unknown_type'];
  if (textLayer === false || charsHere === 0) return ['no_text', 'empty'];
  return expect.length === 0 ? ['damaged', 'no_text', 'empty'] : [];
}

const plain = (text: string): string => text.replaceAll(/\s+/g, ' ');
