import { z } from 'zod';
import type { Status } from './status.js';

const place = {
  page: z.int().nullable(),
  sheet: z.string().nullable(),
  slide: z.int().nullable(),
  headingPath: z.array(z.string()),
  charStart: z
    .int()
    .describe('Place in the extracted text of the version, or in the text of the document; in UTF-16 code units.'),
  charEnd: z.int(),
  language: z.string().nullable(),
};

const found = {
  text: z.string(),
  score: z.number(),
  title: z.string(),
  tags: z.array(z.string()).describe('Of an entry; documents have none.'),
  chunk: z.int().describe('The number of the passage in its version or document, from 0.'),
};

const entryHit = z
  .object({
    kind: z.literal('entry'),
    ...found,
    entryId: z.uuid(),
    versionId: z.uuid(),
    version: z.int(),
    documentId: z.null(),
    seq: z.null(),
    fileName: z.string().nullable(),
    ...place,
  })
  .meta({ id: 'EntryHit' });

const documentHit = z
  .object({
    kind: z.literal('document'),
    ...found,
    entryId: z.null(),
    versionId: z.null(),
    version: z.null(),
    documentId: z.uuid(),
    seq: z.int().describe('Which text of the document it is: the number of its newest update.'),
    fileName: z.null(),
    ...place,
  })
  .meta({ id: 'DocumentHit' });

/** A passage that was found: of an entry of the knowledge store, or of a document. */
export const hitSchema = z.discriminatedUnion('kind', [entryHit, documentHit]).meta({ id: 'KnowledgeHit' });

export type KnowledgeHit = z.infer<typeof hitSchema>;
export type EntryHit = z.infer<typeof entryHit>;
export type DocumentHit = z.infer<typeof documentHit>;

/** What has to be known of a passage to ask who may read it. */
export type PassageRef =
  Pick<EntryHit, 'kind' | 'entryId' | 'versionId' | 'chunk'> | Pick<DocumentHit, 'kind' | 'documentId'>;

export const passageRef = (hit: KnowledgeHit): PassageRef =>
  hit.kind === 'entry'
    ? { kind: hit.kind, entryId: hit.entryId, versionId: hit.versionId, chunk: hit.chunk }
    : { kind: hit.kind, documentId: hit.documentId };

/** What is searched. */
export const searchSources = ['all', 'entries', 'documents'] as const;
type SearchSource = (typeof searchSources)[number];

/** Documents have neither tags nor status: a filter by those finds entries only. */
export type SearchFilter = {
  tags?: readonly string[] | undefined;
  status?: Status | undefined;
  source?: SearchSource | undefined;
};

/** Names a passage, the same for every hit on it. */
export const passageName = (hit: KnowledgeHit): string =>
  hit.kind === 'entry'
    ? `knowledge:${hit.entryId}/${hit.versionId}/${hit.chunk}`
    : `document:${hit.documentId}/${hit.seq}/${hit.chunk}`;
