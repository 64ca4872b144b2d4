import { z } from 'zod';

/** What reading one file may cost. */
export const limitsSchema = z.strictObject({
  /**
   * Milliseconds of processor time. By the clock a busy machine would end sound files: 100 MB of HTML took 19 s of the
   * processor, and 311 s where many others wanted it too.
   */
  processorMs: z.number().int().positive(),
  /** The same since reading last got on: what takes so long for one page was made to take long. */
  fruitlessMs: z.number().int().positive(),
  /** Milliseconds by the clock, for what waits and computes nothing. While the parts are taken it does not count. */
  timeMs: z.number().int().positive(),
  /** Resident memory of the child process, in bytes. It is ended within some 15 ms of passing it. */
  memoryBytes: z.number().int().positive(),
  fileBytes: z.number().int().positive(),
  /** Bytes that come out of a compressed file. */
  inflatedBytes: z.number().int().positive(),
  /** Pages, slides or sheets. */
  pages: z.number().int().positive(),
  /** Files inside of the file: what came with a mail or is attached to a PDF, over all levels. */
  innerFiles: z.number().int().positive(),
  /** Characters of text, in UTF-16 code units. */
  textChars: z.number().int().positive(),
});

export type Limits = z.infer<typeof limitsSchema>;

const MiB = 1024 * 1024;

/** For workers with 1 GB for each file that they read at once. */
export const defaultLimits: Limits = {
  processorMs: 180_000,
  fruitlessMs: 30_000,
  timeMs: 900_000,
  memoryBytes: 560 * MiB,
  fileBytes: 256 * MiB,
  inflatedBytes: 1024 * MiB,
  pages: 5_000,
  innerFiles: 5_000,
  textChars: 160_000_000,
};

/** How much of a text its encoding is guessed from, in bytes. */
export const sampleBytes = 64 * 1024;
