import { findJob } from '../../shared/backlog/control.js';
import { notFound } from '../../shared/errors.js';
import { rooms } from '../../shared/realtime/events.js';
import type { WebContext } from '../context.js';
import type { EventHandlers } from './receive-event.js';
import { inTurn, type Session } from './session.js';
import { enterRoom } from './socket-rooms.js';

/** Following a job of one's own; admins may follow all. */
export function jobHandlers(ctx: WebContext): Pick<EventHandlers, 'job:watch'> {
  async function requireJob({ principal }: Session, jobId: string) {
    const job = await findJob(ctx.database, jobId);
    if (!job || (job.userId !== principal.userId && principal.role !== 'admin')) throw notFound('The job');
    return { state: job.state, progress: job.progress ?? null, readsFromSeq: 0 };
  }

  return {
    async 'job:watch'(session, { jobId }) {
      const room = rooms.job(jobId);
      // First, so that a stranger does not make this process subscribe to anything.
      await requireJob(session, jobId);
      // What it says is read after entering, so that no change falls in between.
      const { state, progress } = await inTurn(session, room, () =>
        enterRoom(ctx, session, room, () => requireJob(session, jobId)),
      );
      return { state, progress };
    },
  };
}
