import { z } from 'zod';

/** What a version is made of. */
export type NewContent =
  { source: 'text'; content: string } | { source: 'file'; fileName: string; sha256: Buffer; size: number };

/** How far a version is. Counts are of chunks, except pages. */
export const progressSchema = z
  .object({
    stage: z.enum(['reading', 'embedding', 'indexing', 'ready']),
    read: z.number().describe('How much of the content was read, from 0 to 1.'),
    page: z.int().nullable().describe('The page or slide that was reached; null for what has none.'),
    chunks: z.int().describe('Passages found so far; all of them once reading has ended.'),
    embedded: z.int(),
    indexed: z.int(),
  })
  .meta({ id: 'IngestionProgress' });

export type IngestionProgress = z.infer<typeof progressSchema>;

export const versionSchema = z
  .object({
    id: z.uuid(),
    n: z.int().positive(),
    source: z.enum(['text', 'file']),
    fileName: z.string().nullable(),
    sha256: z.string().nullable().describe('Of a file, in hexadecimal.'),
    size: z.number().int().describe('Bytes of the file, or of the text in UTF-8.'),
    mimeType: z.string().nullable().describe('What the content is, whatever its name says; null until it is read.'),
    state: z.enum(['ingesting', 'ready', 'failed']),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    progress: progressSchema,
    jobId: z.uuid().nullable().describe('Ends when the version can be searched: GET /jobs/{id}. Null for readers.'),
    createdAt: z.iso.datetime(),
    readyAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'KnowledgeVersion' });

export type VersionView = z.infer<typeof versionSchema>;

export type VersionRow = Omit<VersionView, 'progress' | 'createdAt' | 'readyAt' | 'sha256' | 'jobId'> & {
  jobId: string;
  sha256: Buffer | null;
  page: number | null;
  read: number;
  extracted: boolean;
  chunkCount: number;
  embedded: number;
  indexed: number;
  createdAt: Date;
  readyAt: Date | null;
};

/** How many numbers a set of ranges has. */
const sizeOf = (set: string): string =>
  `(SELECT coalesce(sum(upper(part) - lower(part)), 0)::int FROM unnest(${set}) AS part)`;

/** What statements select of the version with the alias `version`, as one JSON-free row. */
export const versionColumns = `version.id, version.n, version.source, version.file_name AS "fileName",
  version.file_sha256 AS sha256, version.size::float8 AS size, version.mime_type AS "mimeType", version.state,
  version.error, version.job_id AS "jobId", version.page, version.share AS read, version.extracted, version.chunk_count AS "chunkCount",
  ${sizeOf('version.embedded')} AS embedded, ${sizeOf('version.indexed')} AS indexed,
  version.created_at AS "createdAt", version.ready_at AS "readyAt"`;

type Counted = Pick<VersionRow, 'state' | 'page' | 'read' | 'extracted' | 'chunkCount' | 'embedded' | 'indexed'>;

export function progressOf(row: Counted): IngestionProgress {
  const { read, page, chunkCount: chunks, embedded, indexed } = row;
  const stage =
    row.state === 'ready' ? 'ready' : !row.extracted ? 'reading' : embedded < chunks ? 'embedding' : 'indexing';
  return { stage, read, page, chunks, embedded, indexed };
}

/** @param forManager readers are not told about jobs and failures of others. */
export function presentVersion(row: VersionRow, forManager: boolean): VersionView {
  return {
    id: row.id,
    n: row.n,
    source: row.source,
    fileName: row.fileName,
    sha256: row.sha256?.toString('hex') ?? null,
    size: row.size,
    mimeType: row.mimeType,
    state: row.state,
    error: forManager ? row.error : null,
    progress: progressOf(row),
    jobId: forManager ? row.jobId : null,
    createdAt: row.createdAt.toISOString(),
    readyAt: row.readyAt?.toISOString() ?? null,
  };
}
