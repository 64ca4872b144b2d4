import { z } from 'zod';

/** What reading one file may cost. */
export const limitsSchema = z.strictObject({
  /** Milliseconds of reading; the time in which the reader of the parts is busy does not count. */
  timeMs: z.number().int().positive(),
  /** Resident memory of the child process, in bytes. It is ended within some 15 ms of passing it. */
  memoryBytes: z.number().int().positive(),
  fileBytes: z.number().int().positive(),
  /** Bytes that come out of a compressed file. */
  inflatedBytes: z.number().int().positive(),
  /** Pages, slides or sheets. */
  pages: z.number().int().positive(),
  /** Characters of text, in UTF-16 code units. */
  textChars: z.number().int().positive(),
});

export type Limits = z.infer<typeof limitsSchema>;

const MiB = 1024 * 1024;

/** For workers with 1 GB for each file that they read at once. */
export const defaultLimits: Limits = {
  timeMs: 180_000,
  memoryBytes: 560 * MiB,
  fileBytes: 256 * MiB,
  inflatedBytes: 1024 * MiB,
  pages: 5_000,
  textChars: 160_000_000,
};

/** How much of a text its encoding is guessed from, in bytes. */
export const sampleBytes = 64 * 1024;
