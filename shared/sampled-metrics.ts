import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Makers } from './metric-makers.js';

/** Sockets of a process, and rooms that one of them is in. */
export type SocketCount = { sockets: number; rooms: number };

/** How many jobs of a queue are in a state, and how long the oldest of them has been there since its acceptance. */
export type BacklogSize = {
  queue: string;
  state: 'pending' | 'queued' | 'running';
  count: number;
  oldestSeconds: number;
};

/** What is not recorded when it happens but looked up for each scrape. */
export function sampledMetrics(make: Makers) {
  const sockets = make.gauge('sockets_connected', 'Sockets connected to this process.', []);
  const rooms = make.gauge('rooms_open', 'Rooms that a socket of this process is in.', []);
  const backlogLabels = ['queue', 'state'] as const;
  const jobs = make.gauge('backlog_jobs', 'Unfinished jobs; every process reports the same.', [...backlogLabels]);
  const ages = make.gauge('backlog_oldest_age_seconds', 'Age of the oldest unfinished job.', [...backlogLabels]);
  const known = make.gauge('backlog_known', '1 when Postgres answered for millrace_backlog_*, else 0.', []);
  const loopDelay = make.gauge('event_loop_delay_seconds', 'Delay of the event loop since the last scrape.', [
    'quantile',
  ]);
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();

  let countSockets = (): SocketCount => ({ sockets: 0, rooms: 0 });
  let readBacklog = (): Promise<BacklogSize[] | null> => Promise.resolve(null);

  return {
    watchSockets(count: () => SocketCount): void {
      countSockets = count;
    },
    watchBacklog(read: () => Promise<BacklogSize[] | null>): void {
      readBacklog = read;
    },
    async sample(): Promise<void> {
      const backlog = await readBacklog();
      known.set(backlog ? 1 : 0);
      // An old number would look like a backlog that stands still: none at all is right while nobody knows.
      jobs.reset();
      ages.reset();
      for (const { queue, state, count, oldestSeconds } of backlog ?? []) {
        jobs.set({ queue, state }, count);
        ages.set({ queue, state }, oldestSeconds);
      }
      const counted = countSockets();
      sockets.set(counted.sockets);
      rooms.set(counted.rooms);
      for (const quantile of [0.5, 0.99]) loopDelay.set({ quantile }, delay.percentile(quantile * 100) / 1e9);
      loopDelay.set({ quantile: 1 }, delay.max / 1e9);
      delay.reset();
    },
    close: (): void => void delay.disable(),
  };
}
