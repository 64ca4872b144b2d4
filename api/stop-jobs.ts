import type { CancelledJobs } from '../shared/backlog/cancel-jobs.js';
import { tellCancelled } from '../shared/backlog/tell-cancelled.js';
import type { WebContext } from './context.js';

/**
 * Has the places filled that cancelled jobs have left, and tells whoever works on the others, or watches. After the commit.
 *
 * @returns the tellings, to be waited for with what else is told.
 */
export function stopJobs(
  { dispatcher, publisher }: Pick<WebContext, 'dispatcher' | 'publisher'>,
  { ready, jobs }: CancelledJobs,
): Promise<void>[] {
  for (const each of ready) dispatcher.kick(each);
  return jobs.map((job) => tellCancelled(publisher, job));
}
