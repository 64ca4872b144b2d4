import type { Sql } from '../database.js';
import type { Citation, MessageView } from '../realtime/message-view.js';
import { sharedWithAllSql } from './documents/rights.js';
import { findQuote } from './find-quote.js';
import { type KnowledgeHit, passageName } from './hit.js';
import { managesSql, type Reader, readerValues } from './policy.js';

/** What a model says to have taken from a passage. */
export type ClaimedCitation = { hit: KnowledgeHit; quote: string; textStart: number; textEnd: number };

/** A citation whose quote is in its source. */
export type FoundCitation = ClaimedCitation & { charStart: number; charEnd: number };

const maxCitations = 100;

/** Those of the citations whose quote is found in the passage, each once, with the quote as it stands there. */
export function verifyCitations(claimed: readonly ClaimedCitation[]): FoundCitation[] {
  const seen = new Set<string>();
  return claimed
    .flatMap((citation): FoundCitation[] => {
      const { hit, textStart } = citation;
      const found = findQuote(hit.text, citation.quote);
      if (!found) return [];
      const key = `${passageName(hit)} ${found.start} ${textStart} ${found.end}`;
      if (seen.has(key)) return [];
      seen.add(key);
      const quote = hit.text.slice(found.start, found.end);
      return [{ ...citation, quote, charStart: hit.charStart + found.start, charEnd: hit.charStart + found.end }];
    })
    .slice(0, maxCitations);
}

/** Stores what a reply has quoted, in the transaction that saves the reply. */
export async function storeCitations(tx: Sql, messageId: string, citations: readonly FoundCitation[]): Promise<void> {
  if (citations.length === 0) return;
  await tx.query(
    `INSERT INTO message_citations (message_id, n, version_id, chunk, quote, char_start, char_end, text_start, text_end,
       document_id, document_seq, heading_path)
     SELECT $1, n, version_id, chunk, quote, char_start, char_end, text_start, text_end, document_id, document_seq,
       ARRAY(SELECT jsonb_array_elements_text(heading_path))
     FROM unnest($2::int[], $3::uuid[], $4::int[], $5::text[], $6::int[], $7::int[], $8::int[], $9::int[], $10::uuid[],
       $11::bigint[], $12::jsonb[]) AS found (n, version_id, chunk, quote, char_start, char_end, text_start, text_end,
       document_id, document_seq, heading_path)`,
    [
      messageId,
      citations.map((_, n) => n),
      citations.map(({ hit }) => hit.versionId),
      citations.map(({ hit }) => hit.chunk),
      citations.map(({ quote }) => quote),
      citations.map(({ charStart }) => charStart),
      citations.map(({ charEnd }) => charEnd),
      citations.map(({ textStart }) => textStart),
      citations.map(({ textEnd }) => textEnd),
      citations.map(({ hit }) => hit.documentId),
      citations.map(({ hit }) => hit.seq),
      // Of an entry the passage stays and says it.
      citations.map(({ hit }) => JSON.stringify(hit.kind === 'document' ? hit.headingPath : [])),
    ],
  );
}

/**
 * The messages with those of their citations that every one of the readers may read at this moment: of entries
 * that they manage all, of others those of the version that is approved now, of documents those of which they are
 * readers now, who may read the earlier texts too.
 */
export async function withCitations(
  sql: Sql,
  readers: readonly Reader[],
  messages: readonly MessageView[],
): Promise<MessageView[]> {
  const replies = messages.filter(
    ({ role, state }) => role === 'assistant' && state !== 'queued' && state !== 'running',
  );
  if (replies.length === 0) return [...messages];
  const ids = await findCiting(
    sql,
    replies.map(({ id }) => id),
  );
  if (ids.length === 0) return messages.map((message) => ({ ...message, citations: [] }));
  const perReader = await Promise.all(readers.map((reader) => readCitations(sql, reader, ids)));
  const [first = [], ...others] = perReader;
  const keyOf = ({ messageId, n }: CitationRow): string => `${messageId} ${n}`;
  const allowed = others.map((rows) => new Set(rows.map(keyOf)));
  const shown = first.filter((row) => allowed.every((set) => set.has(keyOf(row))));
  return messages.map((message) => ({
    ...message,
    citations: shown
      .filter(({ messageId }) => messageId === message.id)
      .map(({ messageId: _messageId, n: _n, ...citation }) => citation),
  }));
}

/** Which of the messages cite anything: most do not, and then their readers need not be looked at one by one. */
async function findCiting(sql: Sql, messageIds: readonly string[]): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>({
    name: 'find-citing-messages',
    text: `SELECT id FROM unnest($1::uuid[]) AS message (id)
      WHERE EXISTS (SELECT 1 FROM message_citations WHERE message_id = message.id)`,
    values: [messageIds],
  });
  return rows.map(({ id }) => id);
}

type CitationRow = Citation & { messageId: string; n: number };

async function readCitations(sql: Sql, reader: Reader, messageIds: readonly string[]): Promise<CitationRow[]> {
  const rows = await Promise.all([
    readEntryCitations(sql, reader, messageIds),
    readDocumentCitations(sql, reader, messageIds),
  ]);
  return rows.flat().sort((one, other) => one.n - other.n);
}

async function readEntryCitations(sql: Sql, reader: Reader, messageIds: readonly string[]): Promise<CitationRow[]> {
  const { rows } = await sql.query<CitationRow>({
    name: 'read-entry-citations',
    text: `SELECT citation.message_id AS "messageId", citation.n, 'entry' AS kind, entry.id AS "entryId", entry.title,
        version.n AS version, NULL AS "documentId", NULL AS seq, version.file_name AS "fileName", chunk.page, chunk.sheet, chunk.slide,
        chunk.heading_path AS "headingPath", citation.quote, citation.char_start AS "charStart",
        citation.char_end AS "charEnd", citation.text_start AS "textStart", citation.text_end AS "textEnd"
      FROM message_citations AS citation
      JOIN knowledge_versions AS version ON version.id = citation.version_id
      JOIN knowledge_entries AS entry ON entry.id = version.entry_id
      JOIN knowledge_chunks AS chunk ON chunk.version_id = citation.version_id AND chunk.index = citation.chunk
      WHERE citation.message_id = ANY($5::uuid[]) AND $2::boolean AND entry.deleted_at IS NULL
        AND (${managesSql} OR version.n = entry.approved_version)
      ORDER BY citation.message_id, citation.n`,
    values: [...readerValues(reader), messageIds],
  });
  return rows;
}

async function readDocumentCitations(
  sql: Sql,
  { userId }: Reader,
  messageIds: readonly string[],
): Promise<CitationRow[]> {
  const { rows } = await sql.query<CitationRow>({
    name: 'read-document-citations',
    text: `SELECT citation.message_id AS "messageId", citation.n, 'document' AS kind, NULL AS "entryId",
        NULL AS version, document.id AS "documentId", citation.document_seq::float8 AS seq, document.title,
        NULL AS "fileName", NULL AS page, NULL AS sheet, NULL AS slide, citation.heading_path AS "headingPath",
        citation.quote, citation.char_start AS "charStart", citation.char_end AS "charEnd",
        citation.text_start AS "textStart", citation.text_end AS "textEnd"
      FROM message_citations AS citation JOIN documents AS document ON document.id = citation.document_id
      WHERE citation.message_id = ANY($2::uuid[]) AND ${sharedWithAllSql('document.id', 'ARRAY[$1::uuid]')}`,
    values: [userId, messageIds],
  });
  return rows;
}
