import { rooms } from '../realtime/events.js';
import type { Publisher } from '../realtime/publisher.js';

/**
 * Tells those who watch them of jobs that were cancelled before a worker had them, who would tell. After the commit.
 * Else they would watch for ever.
 */
export const tellCancelled = (publisher: Pick<Publisher, 'emit'>, jobIds: readonly string[]): Promise<void>[] =>
  jobIds.map((jobId) =>
    publisher.emit(rooms.job(jobId), 'job:progress', { jobId, state: 'cancelled', progress: null }),
  );
