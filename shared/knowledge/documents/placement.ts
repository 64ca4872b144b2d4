import type { Sql } from '../../database.js';
import type { DocumentPayload } from '../ranking/point.js';

/** What the rows of a document say about its points at one moment. */
export type DocumentPlacement = {
  documentId: string;
  title: string;
  /** Its owner and everybody who may view or edit it. */
  readers: string[];
  /** Raised with every change of those. */
  accessVersion: number;
};

/** @returns null when there is no such document, and so are to be no points. */
export async function findDocumentPlacement(sql: Sql, documentId: string): Promise<DocumentPlacement | null> {
  const { rows } = await sql.query<DocumentPlacement>({
    name: 'find-document-placement',
    text: `SELECT document.id AS "documentId", document.title, document.access_version AS "accessVersion", ARRAY(
        SELECT user_id::text FROM document_access WHERE document_id = document.id ORDER BY user_id) AS readers
      FROM documents AS document WHERE document.id = $1`,
    values: [documentId],
  });
  return rows[0] ?? null;
}

/** What every point of the document carries. */
export function payloadOfDocument({ documentId, readers, accessVersion }: DocumentPlacement): DocumentPayload {
  return { kind: 'document', entryId: documentId, readers, accessVersion };
}
