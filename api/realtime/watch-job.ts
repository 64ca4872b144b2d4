import { isUnfinished } from '../../shared/backlog/control.js';
import { rooms, type ServerEvent, type ServerEventPayloads } from '../../shared/realtime/events.js';
import { inTurn } from '../../shared/in-turn.js';
import type { WebContext } from '../context.js';
import { requireJob } from '../jobs/require-job.js';
import type { EventHandlers } from './receive-event.js';
import { enterRoom, leaveRoom } from './socket-rooms.js';

/** Following a job of one's own; admins may follow all. */
export function jobHandlers(ctx: WebContext): Pick<EventHandlers, 'job:watch'> {
  return {
    async 'job:watch'(session, { jobId }) {
      const { principal } = session;
      const room = rooms.job(jobId);
      // First, so that a stranger does not make this process subscribe to anything.
      await requireJob(ctx.database, principal, jobId);
      return inTurn(session.turns, room, async () => {
        // What it says is read after entering, so that no change falls in between.
        const { state, progress, error } = await enterRoom(ctx, session, room, async () => ({
          ...(await requireJob(ctx.database, principal, jobId)),
          readsFromSeq: 0,
        }));
        if (!isUnfinished(state)) leaveRoom(ctx, session, room);
        return { state, progress: progress ?? null, error };
      });
    },
  };
}

/** Whether an event is the last one of a job: its room can be left, and a connection has only so many. */
export function endsJob(event: ServerEvent, payload: unknown): boolean {
  if (event === 'job:done' || event === 'job:failed') return true;
  return event === 'job:progress' && !isUnfinished((payload as ServerEventPayloads['job:progress']).state);
}
