import type { Redis } from 'ioredis';
import type { VectorStore } from './adapters/vector-store/vector-store.js';
import type { Sql, Statement } from './database.js';
import { withTimeout } from './lifecycle.js';

/** Something that a process depends on. */
export type Check = {
  name: string;
  /** Without it the process cannot do its work at all; without the others it does less. */
  needed: boolean;
  /** Rejects when it is away; what takes too long counts as away. */
  run: () => Promise<unknown>;
};

export type CheckResult = { status: 'up' | 'down'; needed: boolean; milliseconds: number; reason?: string };

/** `degraded`: works, but something that is not needed is away. */
export type Readiness = { status: 'ready' | 'degraded' | 'unavailable'; checks: Record<string, CheckResult> };

const limitMs = 1_500;

/** In milliseconds: for so long an answer is given again, because anybody may ask as often as they like. */
const maxAgeMs = 500;

/** @returns a function that answers within two seconds, whatever hangs, and never throws. */
export function createReadiness(checks: readonly Check[]): () => Promise<Readiness> {
  let current: { answer: Promise<Readiness>; since: number } | null = null;
  return () => {
    if (!current || performance.now() - current.since > maxAgeMs) {
      current = { answer: runAll(checks), since: performance.now() };
    }
    return current.answer;
  };
}

async function runAll(checks: readonly Check[]): Promise<Readiness> {
  const results = await Promise.all(checks.map(async (check) => [check.name, await runOne(check)] as const));
  const down = results.map(([, result]) => result).filter(({ status }) => status === 'down');
  const status = down.length === 0 ? 'ready' : down.some(({ needed }) => needed) ? 'unavailable' : 'degraded';
  return { status, checks: Object.fromEntries(results) };
}

async function runOne({ name, needed, run }: Check): Promise<CheckResult> {
  const startedAt = performance.now();
  const milliseconds = (): number => Math.round((performance.now() - startedAt) * 10) / 10;
  try {
    await withTimeout(run(), limitMs, name);
    return { status: 'up', needed, milliseconds: milliseconds() };
  } catch (error) {
    return { status: 'down', needed, milliseconds: milliseconds(), reason: reasonOf(error) };
  }
}

const plainNames = new Set(['Error', 'TypeError', 'AggregateError', 'AbortError', 'TimeoutError']);

/** A code or a plain sentence: messages of drivers hold addresses and names of users, and anybody reads this. */
function reasonOf(error: unknown): string {
  if (error instanceof NoProgress) return error.message;
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  // Errors of S3 have their code as their name: AccessDenied, CredentialsProviderError.
  const named = [code, name].find(
    (word) => typeof word === 'string' && /^\w{1,40}$/.test(word) && !plainNames.has(word),
  );
  return typeof named === 'string' ? named : 'no answer';
}

// The limit of the driver itself ends a query that hangs: nothing piles up behind a database that is stuck.
const probe: Statement & { query_timeout: number } = { name: 'probe', text: 'SELECT 1', query_timeout: limitMs };

export function postgresCheck(sql: Sql): Check {
  return { name: 'postgres', needed: true, run: () => sql.query(probe) };
}

/** @param needed a web process accepts work without Redis, a worker gets none. */
export function redisCheck(redis: Redis, needed: boolean): Check {
  return { name: 'redis', needed, run: () => redis.ping() };
}

/** Without the vector store nothing is found, and what is to be indexed waits. */
export function vectorStoreCheck(vectors: VectorStore): Check {
  return { name: 'qdrant', needed: false, run: () => vectors.check() };
}

class NoProgress extends Error {}

/** Twice as long as the longest step of a loop takes by default: waiting for a connection (POOL_TIMEOUT). */
const stuckAfterMs = 60_000;

/**
 * A process can hold every connection and do nothing: what counts is that its loops went round lately.
 *
 * @param lastProgressAt when one did, in `performance.now()` milliseconds.
 */
export function progressCheck(lastProgressAt: () => number): Check {
  return {
    name: 'progress',
    needed: true,
    run: async () => {
      const quietMs = performance.now() - lastProgressAt();
      if (quietMs > stuckAfterMs) throw new NoProgress(`no progress for ${Math.round(quietMs / 1000)} s`);
    },
  };
}
