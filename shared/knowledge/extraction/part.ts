import { z } from 'zod';

/** The kinds of file that can be read. */
export const fileTypes = ['pdf', 'docx', 'pptx', 'xlsx', 'csv', 'html', 'markdown', 'text', 'eml'] as const;

export type FileType = (typeof fileTypes)[number];

/** Where reading can begin again: everything before this place has been given out. */
export const resumePointSchema = z.strictObject({
  part: z.number().int().nonnegative(),
  /** The place in the extracted text, in UTF-16 code units. */
  char: z.number().int().nonnegative(),
  /** The page to begin with, from 1; only of files with pages. */
  page: z.number().int().positive().optional(),
});

export type ResumePoint = z.infer<typeof resumePointSchema>;

/**
 * A piece of the text of a file, at most 64 K characters long. The texts of all parts in their order are the
 * extracted text: each part begins where the one before it ended.
 */
export const extractedPartSchema = z.strictObject({
  /** Its number, from 0. */
  part: z.number().int().nonnegative(),
  /** From 1. */
  page: z.number().int().positive().optional(),
  /** The name of the sheet. */
  sheet: z.string().optional(),
  /** From 1. */
  slide: z.number().int().positive().optional(),
  /** The headings above this part, the outermost first. */
  headingPath: z.array(z.string()),
  text: z.string(),
  charStart: z.number().int().nonnegative(),
  charEnd: z.number().int().positive(),
  /** How much of the file has been read, from 0 to 1. */
  done: z.number().min(0).max(1),
  /** Where what follows this part begins; absent where reading cannot begin again (inside of a page). */
  resume: resumePointSchema.optional(),
});

export type ExtractedPart = z.infer<typeof extractedPartSchema>;
