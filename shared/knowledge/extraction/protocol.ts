import { z } from 'zod';
import { failureCodes } from './failure.js';
import { limitsSchema } from './limits.js';
import { extractedPartSchema, fileTypes, resumePointSchema } from './part.js';

/** What a child process is asked on its standard input, one JSON line per file. */
export const requestSchema = z.strictObject({
  path: z.string(),
  name: z.string().optional(),
  limits: limitsSchema,
  from: resumePointSchema.optional(),
});

export type ExtractionRequest = z.infer<typeof requestSchema>;

/** What the child process answers on file descriptor 3, one JSON line each; `end` or a failure is the last. */
export const answerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('type'), type: z.enum(fileTypes), pages: z.number().int().optional() }),
  z.strictObject({ kind: z.literal('part'), part: extractedPartSchema }),
  z.strictObject({ kind: z.literal('end') }),
  /** The file is at fault. */
  z.strictObject({
    kind: z.literal('failed'),
    code: z.enum(failureCodes),
    message: z.string(),
    cause: z.string().optional(),
  }),
  /** The reading itself went wrong (no such file, disk away): another attempt may succeed. */
  z.strictObject({ kind: z.literal('error'), message: z.string() }),
]);

export type Answer = z.infer<typeof answerSchema>;

/** The file descriptor of the answers: standard output belongs to whatever the libraries print. */
export const answerDescriptor = 3;
