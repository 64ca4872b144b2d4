import { type CancelRequested, requestCancel } from '../backlog/control.js';
import type { Ready } from '../backlog/enqueue.js';
import type { Sql } from '../database.js';
import { holdVersion } from './hold-version.js';
import { failVersion } from './pipeline.js';

/** What is said of a version whose way into the index was cancelled. */
export const cancelledError = { code: 'cancelled', message: 'The ingestion was cancelled.' };

/** Kinds of job that are the way of a version into the index: cancelling one of them means cancelling all. */
const kinds = new Set(['ingest-version', 'embed-chunks', 'upsert-vectors']);

export const isIngestion = (kind: string): boolean => kinds.has(kind);

/**
 * Cancels the way of a version into the index. Where nobody is at work on the watched job the version ends here and
 * now, and its owner can begin again; else the attempt that has the job ends it.
 *
 * @returns null when the version is on no way.
 */
export async function cancelIngestion(
  tx: Sql,
  versionId: string,
): Promise<{ root: CancelRequested; ready: Ready[] } | null> {
  const root = await requestCancel(tx, { subjectId: versionId, kind: 'ingest-version' });
  if (!root) return null;
  const waits = root.state === 'cancelled' || root.state === 'pending';
  const failed = waits && (await holdVersion(tx, versionId)) ? await failVersion(tx, versionId, cancelledError) : [];
  return { root, ready: [root.ready, ...failed] };
}
