import type { Outcome } from '../../shared/backlog/claim.js';
import { listReaders } from '../../shared/conversations/readers.js';
import { readMembershipVersion, type ReplyTask } from '../../shared/conversations/reply.js';
import type { Sql } from '../../shared/database.js';
import type { PassageRef } from '../../shared/knowledge/hit.js';
import { areStillReadable } from '../../shared/knowledge/retrieve.js';
import type { JobRun } from '../handler.js';

/** Why a reply is stopped that was begun for other readers. */
export class ReadersChanged extends Error {
  constructor() {
    super('the readers of the reply changed');
    this.name = 'ReadersChanged';
  }
}

/**
 * Whether a reply that is being written may go on. It holds nobody up, and says nothing about the next moment: whoever
 * saves the reply looks again, under locks.
 */
export async function readersAreSame(sql: Sql, task: ReplyTask, passages: readonly PassageRef[]): Promise<boolean> {
  const { conversationId } = task.reply;
  if ((await readMembershipVersion(sql, conversationId)) !== task.membershipVersion) return false;
  if (passages.length === 0) return true;
  return areStillReadable(sql, await listReaders(sql, conversationId), passages);
}

/** What becomes of a reply whose readers are not those any more that it was made for. */
export function startAgain(job: Pick<JobRun, 'logger'>): Outcome {
  job.logger.info('a member was added, or lost the right to read a passage; the reply starts again');
  return { state: 'pending', delayMs: 0, counts: false, error: null };
}
