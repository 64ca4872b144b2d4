import { all, type Filter, is, isAnyOf, not, some } from '../adapters/vector-store/filter.js';
import type { Fusion } from '../adapters/embedder/embedder.js';
import type { Hit, SparseVector, VectorStore } from '../adapters/vector-store/vector-store.js';
import { can } from '../accounts/policy.js';
import type { Sql } from '../database.js';
import type { KnowledgeHit, SearchFilter } from './hit.js';
import type { Reader } from './policy.js';
import { readableByAll, type Rights } from './ranking/readable.js';
import type { Status } from './status.js';
import { findReadableHits, type FoundPoint } from './search-check.js';

/** A query in both its forms. Either half may be left out. */
export type QueryVectors = { dense?: Float32Array | undefined; sparse?: SparseVector | undefined; fusion: Fusion };

/** So many passages of one entry or document at most: the page is to show more than one source. */
const maxPerEntry = 3;

/** Hits asked for, for each that is wanted: many of them may be of one entry. Without their text they are small. */
export const surplus = 3;

/** Looked up in Postgres beyond those wanted: what was changed a moment ago may not be readable any more. */
const spare = 8;

/** Asked for more at most so often, when entries that have given their share leave the page short. */
const maxRounds = 4;

/**
 * Finds passages that every one of the readers may read, best first. The vector store filters by what it was told,
 * and every hit is checked again in Postgres, which decides.
 *
 * @throws VectorStoreError
 */
export async function searchPassages(
  deps: { database: Sql; vectors: VectorStore },
  readers: readonly Reader[],
  query: QueryVectors & SearchFilter & { limit: number },
): Promise<KnowledgeHit[]> {
  const { dense, sparse, fusion } = query;
  // A query without a word that means anything would be answered with whatever the filter lets through.
  if (!dense && !sparse?.indices.length) return [];
  const filter = passageFilter(readers, query);
  const wanted = query.limit * surplus;
  const seen = new Map<string, number>();
  const page: KnowledgeHit[] = [];
  for (let round = 1; ; round += 1) {
    const spent = [...seen].filter(([, count]) => count >= maxPerEntry).map(([entryId]) => entryId);
    const rest = spent.length > 0 ? all(filter, not(isAnyOf('entryId', spent))) : filter;
    const found = await deps.vectors.search({ dense, sparse, fusion, filter: rest, limit: wanted, fields: hitFields });
    const points = shareOut(found, seen).slice(0, query.limit - page.length + spare);
    page.push(...(await findReadableHits(deps.database, readers, points, query)));
    if (page.length >= query.limit || found.length < wanted || round === maxRounds) return page.slice(0, query.limit);
  }
}

/** What of a point a search needs: the rest is read from Postgres. */
export const hitFields = ['kind', 'entryId', 'versionId', 'chunk'] as const;

/** The hits that their entries and documents have a share left for. @param seen how much of it each has used; counted on here. */
function shareOut(hits: readonly Hit[], seen: Map<string, number>): FoundPoint[] {
  return hits.flatMap(({ id, score, payload }): FoundPoint[] => {
    const entryId = String(payload.entryId);
    const count = seen.get(entryId) ?? 0;
    if (count >= maxPerEntry) return [];
    seen.set(entryId, count + 1);
    if (payload.kind === 'document') return [{ kind: 'document', score, id }];
    return [{ kind: 'entry', score, versionId: String(payload.versionId), chunk: Number(payload.chunk) }];
  });
}

/** What the vector store is told about who searches, and what for. */
export function passageFilter(readers: readonly Reader[], { tags = [], status, source = 'all' }: SearchFilter): Filter {
  const rights = readers.map(rightsOf);
  return all(
    readableByAll(rights),
    ...(source === 'all' ? [] : [is('kind', source === 'entries' ? 'entry' : 'document')]),
    ...tags.map((tag) => is('tags', tag)),
    ...(status === undefined ? [] : [hasStatus(rights, status)]),
  );
}

/**
 * What somebody else's entry is to a reader is always approved: that it has a newer draft is not for them to know.
 * Documents have no status.
 */
function hasStatus(readers: readonly Rights[], status: Status): Filter {
  return all(
    is('kind', 'entry'),
    ...readers.map(({ userId, allEntries, ownEntries }) => {
      if (allEntries) return is('status', status);
      const own = is('ownerId', userId);
      return some(
        ...(ownEntries ? [all(own, is('status', status))] : []),
        ...(status === 'approved' ? [all(is('approved', true), ...(ownEntries ? [not(own)] : []))] : []),
      );
    }),
  );
}

function rightsOf({ userId, role }: Reader): Rights {
  const allEntries = can(role, 'knowledge:manage-all');
  return {
    userId,
    allEntries,
    approvedEntries: can(role, 'knowledge:read') && !allEntries,
    ownEntries: can(role, 'knowledge:create') && !allEntries,
  };
}
