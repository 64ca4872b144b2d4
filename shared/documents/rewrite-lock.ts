import type { Sql } from '../database.js';

/**
 * Takes the turn, until the transaction ends, to replace parts of a document as they are now: two who did that at once
 * would each put their text in, and it would be there twice. The second waits, and finds what the first has done. Who
 * types waits for nobody.
 */
export async function lockRewrites(tx: Sql, documentId: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`rewrite ${documentId}`]);
}
