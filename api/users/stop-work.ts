import { requestCancelOfLane } from '../../shared/backlog/control.js';
import { tellCancelled } from '../../shared/backlog/tell-cancelled.js';
import { announceCancelled } from '../../shared/conversations/cancel-reply.js';
import { endWaiting, ownerDisabled } from '../../shared/conversations/reply.js';
import { announceEnded, endWaitingSuggestions } from '../../shared/documents/end-waiting.js';
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
  const { jobs, ended, suggestions } = await ctx.database.transaction(async (tx) => {
    const jobs = await requestCancelOfLane(tx, { queue: 'replies', userId });
    const waiting = (which: string): string[] =>
      jobs.flatMap(({ kind, state, subjectId }) => (kind === which && state === 'cancelled' ? [subjectId] : []));
    const ended = await endWaiting(tx, waiting('reply-to-message'), ownerDisabled);
    return { jobs, ended, suggestions: await endWaitingSuggestions(tx, waiting('edit-document'), ownerDisabled) };
  });
  for (const { ready } of jobs) ctx.dispatcher.kick(ready);
  await tellInTime([
    ...jobs.map((job) => tellCancelled(ctx.publisher, job)),
    ...ended.map((reply) => announceCancelled(ctx, reply)),
    ...suggestions.map((suggestion) => announceEnded(ctx.publisher, suggestion)),
  ]);
}
