/** Rooms that a publisher owes a `room:resync`. */
export type MissedRooms = { add(room: string): void };

/** In milliseconds. A connection that is down refuses at once, so that a try costs nothing. */
const retryMs = 250;

/** More rooms than a process has open; in an outage that long the subscriptions break too, and resync everybody. */
const maxRooms = 10_000;

/**
 * Remembers the rooms to which an event could not be sent and tells them to look again, in turn, once that works.
 * The subscriptions of the readers may be back before the connection of the one who sends is: what was sent in
 * between is committed, and its readers would not know of it.
 *
 * @param resync tells a room; answers whether that worked.
 * @param isOver true when the connection will not come back.
 */
export function createMissedRooms(resync: (room: string) => Promise<boolean>, isOver: () => boolean): MissedRooms {
  const rooms = new Set<string>();
  let timer: NodeJS.Timeout | null = null;

  async function tell(): Promise<void> {
    for (const room of [...rooms]) {
      // Removed first: what is missed while this is under way is owed again.
      rooms.delete(room);
      if (await resync(room)) continue;
      rooms.add(room);
      return;
    }
  }

  function plan(): void {
    if (timer || rooms.size === 0 || isOver()) return;
    timer = setTimeout(() => {
      void tell().finally(() => {
        timer = null;
        plan();
      });
    }, retryMs);
    timer.unref();
  }

  return {
    add(room) {
      if (rooms.size < maxRooms) rooms.add(room);
      plan();
    },
  };
}
