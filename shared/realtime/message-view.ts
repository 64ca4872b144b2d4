import { z } from 'zod';

const id = z.uuid();
const text = z.string();

/** Counts the tries of one reply. */
export const attempt = z
  .int()
  .nonnegative()
  .describe('Counts the tries of one reply; text of an older attempt is to be dropped.');

/** What went wrong, as it is stored: a stable code and a sentence for people. */
export const problem = z.object({ code: z.string(), message: z.string() });

const quoted = {
  title: text,
  page: z.int().nullable(),
  sheet: text.nullable(),
  slide: z.int().nullable(),
  headingPath: z.array(text),
  quote: text.describe('Word for word as it stands, or of a document stood, in the source.'),
  charStart: z
    .int()
    .describe('Where the quote is in the extracted text of the version, or in that text of the document.'),
  charEnd: z.int(),
  textStart: z.int().describe('Where what it supports is in the text of the reply.'),
  textEnd: z.int(),
};

const entryCitation = z
  .object({
    kind: z.literal('entry'),
    entryId: id,
    version: z.int(),
    documentId: z.null(),
    seq: z.null(),
    fileName: text.nullable(),
    ...quoted,
  })
  .meta({ id: 'EntryCitation' });

const documentCitation = z
  .object({
    kind: z.literal('document'),
    entryId: z.null(),
    version: z.null(),
    documentId: id,
    seq: z.int().describe('Which text of the document was quoted; it may have been edited since.'),
    fileName: z.null(),
    ...quoted,
  })
  .meta({ id: 'DocumentCitation' });

/**
 * A passage that a reply has quoted, of an entry of the knowledge store or of a document. Places are in UTF-16 code
 * units.
 */
export const citationSchema = z.discriminatedUnion('kind', [entryCitation, documentCitation]).meta({ id: 'Citation' });

export type Citation = z.infer<typeof citationSchema>;

/** A message as every reader of its conversation sees it. */
export const messageSchema = z
  .object({
    id,
    conversationId: id,
    seq: z.int().positive().describe('The place in the conversation.'),
    role: z.enum(['user', 'assistant']),
    authorId: id.nullable().describe('Null for a reply, and when the account is gone.'),
    content: text,
    clientId: z.string().nullable().describe('What the sender called it; null for replies.'),
    replyTo: id.nullable().describe('Of a reply: the message that it answers.'),
    state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
    attempt,
    error: problem.nullable(),
    metadata: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe(
        'Of a reply: `stopReason`; `omittedMessages`, when the history was too long; `knowledge`, how looking things up ended ' +
          '(found, nothing-found, unavailable); `searchMode` `sparse`, when that went by words alone because questions could ' +
          'not be embedded; `searches`, what Claude has looked up by itself.',
      ),
    model: z.string().nullable(),
    citations: z
      .array(citationSchema)
      .describe(
        'What a reply has quoted, as far as you may read it at this moment; in events, as far as every member may.',
      ),
    supersededBy: id.nullable().describe('Of a reply that was generated again: the newer one.'),
    createdAt: z.iso.datetime(),
    completedAt: z.iso.datetime().nullable(),
    editedAt: z.iso.datetime().nullable(),
    deletedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Message' });

export type MessageView = z.infer<typeof messageSchema>;
