import { all, is, isAnyOf, type Filter } from '../adapters/vector-store/filter.js';
import type { Fusion } from '../adapters/embedder/embedder.js';
import type { SparseVector, VectorStore } from '../adapters/vector-store/vector-store.js';
import { can } from '../accounts/policy.js';
import type { Sql } from '../database.js';
import type { KnowledgeHit, SearchFilter } from './hit.js';
import type { Reader } from './policy.js';
import { readableByAll } from './ranking/readable.js';
import { findReadableHits } from './search-check.js';

/** A query in both its forms. Either half may be left out. */
export type QueryVectors = { dense?: Float32Array | undefined; sparse?: SparseVector | undefined; fusion: Fusion };

/** So many passages of one entry at most: the page is to show more than one source. */
const maxPerEntry = 3;

/** Hits asked for beyond those wanted: some belong to one entry, some were changed a moment ago. */
const surplus = 3;

/** Asked for more at most so often, when too many of the hits are of one entry or not readable any more. */
const maxRounds = 3;

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
  const filter = filterOf(readers, query);
  let wanted = query.limit * surplus;
  for (let round = 1; ; round += 1) {
    const { dense, sparse, fusion } = query;
    const found = await deps.vectors.search({ dense, sparse, fusion, filter, limit: wanted, fields: hitFields });
    const hits = found.map(({ score, payload }) => ({
      score,
      versionId: String(payload.versionId),
      chunk: Number(payload.chunk),
    }));
    const readable = await findReadableHits(deps.database, readers, hits, query);
    const page = spread(readable, query.limit);
    if (page.length >= query.limit || found.length < wanted || round === maxRounds) return page;
    wanted *= 4;
  }
}

const hitFields = ['versionId', 'chunk'] as const;

function filterOf(readers: readonly Reader[], { tags = [], status }: SearchFilter): Filter {
  const rights = readableByAll(readers.map(rightsOf));
  return all(
    is('kind', 'entry'),
    rights,
    ...tags.map((tag) => is('tags', tag)),
    ...(status === undefined ? [] : [isAnyOf('status', [status])]),
  );
}

function rightsOf({ userId, role }: Reader) {
  const allEntries = can(role, 'knowledge:manage-all');
  return {
    userId,
    allEntries,
    approvedEntries: can(role, 'knowledge:read') && !allEntries,
    ownEntries: can(role, 'knowledge:create') && !allEntries,
  };
}

function spread(hits: readonly KnowledgeHit[], limit: number): KnowledgeHit[] {
  const perEntry = new Map<string, number>();
  const page: KnowledgeHit[] = [];
  for (const hit of hits) {
    const count = perEntry.get(hit.entryId) ?? 0;
    if (count >= maxPerEntry) continue;
    perEntry.set(hit.entryId, count + 1);
    page.push(hit);
    if (page.length === limit) break;
  }
  return page;
}
