import { recordUsage } from '../../shared/accounts/usage.js';
import type { TokenUsage } from '../../shared/adapters/language-model/model.js';
import type { Sql } from '../../shared/database.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';

/** What an attempt asked of the model, and for what. */
export type Spent = {
  /** Null where it was for something else than a reply. */
  conversationId: string | null;
  messageId: string;
  model: string;
  /** Null when the model has not said yet. */
  usage: TokenUsage | null;
};

/** Records what an attempt cost, in a transaction that has checked its claim. */
export async function recordSpent(tx: Sql, job: Pick<JobRun, 'userId' | 'attempt'>, spent: Spent): Promise<void> {
  if (!spent.usage) return;
  const { userId, attempt } = job;
  const { conversationId, messageId, model, usage: tokens } = spent;
  await recordUsage(tx, { userId, attempt, conversationId, messageId, model, tokens });
}

/** Tokens were paid for, whether or not the attempt came to an end; unless it lost, which writes nothing at all. */
export async function noteUsage(
  ctx: WorkerContext,
  job: Pick<JobRun, 'userId' | 'attempt' | 'guard' | 'logger'>,
  spent: Spent,
): Promise<void> {
  if (!spent.usage) return;
  try {
    await ctx.database.transaction(async (tx) => {
      await job.guard(tx);
      await recordSpent(tx, job, spent);
    });
  } catch (error) {
    job.logger.warn({ err: error }, 'the usage of an attempt was not recorded');
  }
}
