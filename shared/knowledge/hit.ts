import { z } from 'zod';
import type { Status } from './status.js';

/** A passage that was found. */
export const hitSchema = z
  .object({
    text: z.string(),
    score: z.number(),
    entryId: z.uuid(),
    title: z.string(),
    tags: z.array(z.string()),
    versionId: z.uuid(),
    version: z.int(),
    chunk: z.int().describe('The number of the passage in its version, from 0.'),
    fileName: z.string().nullable(),
    page: z.int().nullable(),
    sheet: z.string().nullable(),
    slide: z.int().nullable(),
    headingPath: z.array(z.string()),
    charStart: z.int().describe('Place in the extracted text, in UTF-16 code units.'),
    charEnd: z.int(),
    language: z.string().nullable(),
  })
  .meta({ id: 'KnowledgeHit' });

export type KnowledgeHit = z.infer<typeof hitSchema>;

export type SearchFilter = { tags?: readonly string[] | undefined; status?: Status | undefined };
