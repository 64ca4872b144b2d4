import type { VectorStore } from '../adapters/vector-store/vector-store.js';
import type { Sql } from '../database.js';
import { areStillShared } from './documents/rights.js';
import { wholeCharacter } from './extraction/cut-text.js';
import type { KnowledgeHit, PassageRef } from './hit.js';
import type { Reader } from './policy.js';
import type { QueryEncoder, SearchMode } from './query-vectors.js';
import type { RelevanceJudge } from './relevance.js';
import { searchPassages } from './search.js';
import { findReadableHits } from './search-check.js';

/** Passages given to a reply. */
const maxPassages = 8;

/** Characters of a question that are searched for: its beginning says what it is about. */
const maxQuestion = 2_000;

/**
 * The passages for a reply: what every one of its readers may read and is about what is asked. A search always finds
 * something; a reply is to say that there is nothing rather than to be given what does not matter.
 *
 * @returns beside them how it was searched: by words alone while the question cannot be embedded.
 * @throws VectorStoreError
 */
export async function retrievePassages(
  deps: { database: Sql; vectors: VectorStore; encodeQuery: QueryEncoder; judge: RelevanceJudge },
  readers: readonly Reader[],
  question: string,
  signal: AbortSignal,
): Promise<{ passages: KnowledgeHit[]; mode: SearchMode }> {
  if (!(await isAnythingThere(deps.database))) return { passages: [], mode: 'hybrid' };
  const text = question.slice(0, wholeCharacter(question, maxQuestion));
  const { mode, ...query } = await deps.encodeQuery(text, 'hybrid', signal);
  const hits = await searchPassages(deps, readers, { ...query, limit: maxPassages });
  return { passages: await deps.judge(text, query.dense, hits, signal), mode };
}

/** Where nobody has written anything down, replies do not wait for a search. */
async function isAnythingThere(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query<{ found: boolean }>({
    name: 'is-knowledge-there',
    text: `SELECT EXISTS (SELECT 1 FROM knowledge_entries WHERE deleted_at IS NULL AND ready_version IS NOT NULL)
      OR EXISTS (SELECT 1 FROM document_chunks WHERE indexed_at IS NOT NULL) AS found`,
  });
  return rows[0]?.found === true;
}

/**
 * Whether every reader may still read all of the passages. Their entries and documents stay as they are until the
 * transaction ends, so that what is saved in it was allowed at that moment. Of a document that was edited meanwhile
 * the passage may be gone: who has access may read its earlier texts too, and nobody could reply about a document that
 * is being written if each edit began the reply again.
 *
 * @param readers with the roles that they keep until the transaction ends.
 */
export async function areStillReadable(
  tx: Sql,
  readers: readonly Reader[],
  hits: readonly PassageRef[],
): Promise<boolean> {
  if (hits.length === 0) return true;
  const userIds = readers.map(({ userId }) => userId);
  const entryHits = hits.filter((hit) => hit.kind === 'entry');
  const entryIds = [...new Set(entryHits.map(({ entryId }) => entryId))];
  const documentIds = [...new Set(hits.flatMap((hit) => (hit.kind === 'document' ? hit.documentId : [])))];
  await tx.query('SELECT 1 FROM knowledge_entries WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE', [entryIds]);
  const points = entryHits.map((hit) => ({ ...hit, score: 0 }));
  if ((await findReadableHits(tx, readers, points, {})).length !== points.length) return false;
  return areStillShared(tx, userIds, documentIds);
}
