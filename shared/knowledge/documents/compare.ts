import type { Payload } from '../../adapters/vector-store/vector-store.js';
import type { Ready } from '../../backlog/enqueue.js';
import type { Database } from '../../database.js';
import { askForDocumentPoints, syncDocumentPoints } from './ask.js';

type Compared = {
  /** @returns the ids of those of the points that belong to no passage. */
  look(points: readonly { id: string; payload: Payload }[]): Promise<string[]>;
  /** To be called when all points were looked at. @returns whom the dispatcher should look at. */
  ask(): Promise<Ready[]>;
};

/**
 * Compares the points of documents, page by page, with their passages and their readers.
 *
 * @param before the database's time before the first point was read: only what was written by then can be missed.
 */
export function compareDocuments(database: Database, before: Date): Compared {
  const counts = new Map<string, number>();
  const accessVersions = new Map<string, Set<number>>();

  return {
    async look(points) {
      if (points.length === 0) return [];
      const { rows } = await database.query<{ id: string; documentId: string; counts: boolean }>(
        `SELECT chunk.id, chunk.document_id AS "documentId", coalesce(chunk.indexed_at < $2, false) AS counts
         FROM document_chunks AS chunk JOIN documents ON documents.id = chunk.document_id
         WHERE chunk.id = ANY($1::uuid[]) AND chunk.index IS NOT NULL`,
        [points.map(({ id }) => id), before],
      );
      const known = new Map(rows.map((row) => [row.id, row]));
      for (const { id, payload } of points) {
        const row = known.get(id);
        if (!row) continue;
        if (row.counts) counts.set(row.documentId, (counts.get(row.documentId) ?? 0) + 1);
        const versions = accessVersions.get(row.documentId) ?? new Set();
        accessVersions.set(row.documentId, versions.add(Number(payload.accessVersion)));
      }
      return points.filter(({ id }) => !known.has(id)).map(({ id }) => id);
    },
    async ask() {
      const lacking = await findLacking(database, counts, before);
      const ready: Ready[] = [];
      for (const document of lacking) {
        ready.push(...(await database.transaction((tx) => askForDocumentPoints(tx, [document], 1))));
      }
      for (const document of await findOutdated(database, accessVersions)) {
        ready.push(await syncDocumentPoints(database, document));
      }
      return ready;
    },
  };
}

type About = { documentId: string; userId: string };

async function findLacking(database: Database, counts: Map<string, number>, before: Date): Promise<About[]> {
  const { rows } = await database.query<About & { expected: number }>(
    `SELECT chunk.document_id AS "documentId", document.owner_id AS "userId", count(*)::int AS expected
     FROM document_chunks AS chunk JOIN documents AS document ON document.id = chunk.document_id
     WHERE chunk.index IS NOT NULL AND chunk.indexed_at < $1 GROUP BY 1, 2`,
    [before],
  );
  return rows.filter(({ documentId, expected }) => (counts.get(documentId) ?? 0) < expected);
}

/** Documents with a point that was written for other readers than they have. */
async function findOutdated(database: Database, accessVersions: Map<string, Set<number>>): Promise<About[]> {
  const { rows } = await database.query<About & { accessVersion: number }>(
    `SELECT id AS "documentId", owner_id AS "userId", access_version AS "accessVersion" FROM documents
     WHERE id = ANY($1::uuid[])`,
    [[...accessVersions.keys()]],
  );
  return rows.filter(({ documentId, accessVersion }) =>
    [...(accessVersions.get(documentId) ?? [])].some((version) => version !== accessVersion),
  );
}
