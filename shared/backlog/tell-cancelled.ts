import type { Publisher } from '../realtime/publisher.js';
import { rooms } from '../realtime/rooms.js';

/**
 * Tells of a job that is cancelled, after the commit: whoever works on it, and of one that waited, which nobody else will
 * say anything of any more, whoever watches it.
 */
export async function tellCancelled(
  publisher: Publisher,
  { id: jobId, state }: { id: string; state: string },
): Promise<void> {
  if (state === 'running') await publisher.control({ type: 'job-cancelled', jobId });
  if (state !== 'cancelled') return;
  await publisher.emit(rooms.job(jobId), 'job:progress', { jobId, state, progress: null });
}
