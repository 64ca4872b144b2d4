import { requestCancelOfLane } from '../../shared/backlog/control.js';
import { tellCancelled } from '../../shared/backlog/tell-cancelled.js';
import { announceCancelled } from '../../shared/conversations/cancel-reply.js';
import { endWaiting, ownerDisabled } from '../../shared/conversations/reply.js';
import { tellInTime } from '../../shared/realtime/tell.js';
import type { WebContext } from '../context.js';

/**
 * Ends what an account that was disabled has asked of Claude, for good: what waits is cancelled, what runs is told to
 * stop and keeps what it said. What others work with, such as entries of the knowledge store that are being read, goes on.
 *
 * Call it after the account's change is committed: what is accepted later is cancelled when it is claimed. In one
 * transaction with it they would wait for each other with a reply that is being saved.
 */
export async function stopWork(ctx: WebContext, userId: string): Promise<void> {
  const { jobs, ended } = await ctx.database.transaction(async (tx) => {
    const jobs = await requestCancelOfLane(tx, { queue: 'replies', userId });
    const waiting = jobs.filter(({ kind, state }) => kind === 'reply-to-message' && state === 'cancelled');
    const replyIds = waiting.map(({ subjectId }) => subjectId);
    return { jobs, ended: await endWaiting(tx, replyIds, ownerDisabled) };
  });
  for (const { ready } of jobs) ctx.dispatcher.kick(ready);
  const running = jobs.filter(({ state }) => state === 'running');
  const waiting = jobs.filter(({ state }) => state === 'cancelled').map(({ id }) => id);
  await tellInTime([
    ...running.map(({ id: jobId }) => ctx.publisher.control({ type: 'job-cancelled', jobId })),
    ...ended.map((reply) => announceCancelled(ctx, reply)),
    ...tellCancelled(ctx.publisher, waiting),
  ]);
}
