import type { QueueName } from '../jobs/index.js';
import type { Lane } from './enqueue.js';

/** How many jobs of one user may be queued or running in a queue. */
export type Slots = {
  /** While nobody else's jobs come by. */
  alone: number;
  /** While others use the queue too. */
  shared: number;
};

/** The same number, whoever else is there: for work that waits for others more than it works. */
export const always = (number: number): Slots => ({ alone: number, shared: number });

/**
 * For work that takes the machine's processors: a user who is alone keeps all of them busy, and makes room for others
 * when they come. Beside 2,000 files of somebody else a single file, which took 75 to 90 ms alone, took 185 to 290 ms
 * (p50) without this and 155 to 165 with it.
 */
export const halvedWhenShared = (number: number): Slots => ({ alone: number, shared: Math.ceil(number / 2) });

/** In milliseconds: how long somebody counts as there after the last of their jobs came by. */
const presentMs = 5_000;

/** For a queue that names none of its own. */
const defaultSlots = always(2);

type Seen = { userId: string; at: number };

/** Knows how many slots a user has in a queue now. */
export type SlotCounter = {
  /** A job of the lane came by: one was accepted, or has ended. */
  note(lane: Lane): void;
  count(lane: Lane): number;
};

/**
 * Who else is there is what this process has seen, not what all have: it is told of every job that is accepted or run
 * here, and for a courtesy that is enough. `alone` is the limit that holds everywhere.
 *
 * @param now in milliseconds, of any clock that only goes forward.
 */
export function createSlotCounter(
  slots: Partial<Record<QueueName, Slots>>,
  now: () => number = () => performance.now(),
): SlotCounter {
  // The last two users of each queue tell anybody whether there is somebody else.
  const seen = new Map<QueueName, [Seen, Seen?]>();

  return {
    note({ queue, userId }) {
      const [last, before] = seen.get(queue) ?? [];
      seen.set(queue, [{ userId, at: now() }, last?.userId === userId ? before : last]);
    },
    count({ queue, userId }) {
      const { alone, shared } = slots[queue] ?? defaultSlots;
      const other = seen.get(queue)?.find((each) => each && each.userId !== userId);
      return other && now() - other.at < presentMs ? shared : alone;
    },
  };
}
