import { findMemberships, readMembershipMarks } from '../../shared/conversations/membership-checks.js';
import type { Sql } from '../../shared/database.js';
import type { Logger } from '../../shared/logger.js';
import type { RoomBus } from '../../shared/realtime/room-bus.js';
import { conversationOf } from '../../shared/realtime/rooms.js';
import type { OpenRooms } from './open-rooms.js';

/** Takes readers out of conversations that they may not read any more. */
export type AccessWatch = { close(): void };

type Options = { rooms: OpenRooms; database: Sql; bus: RoomBus; logger: Logger };

/** How long a revocation whose message got lost can stay unseen, in milliseconds. */
const checkMs = 1_000;

/**
 * A revocation is heard of at once. Since that message is only published, not stored, a mark of the members of
 * every open conversation is compared once a second, in one query by primary keys; only where it has changed are
 * the readers looked at one by one.
 */
export function createAccessWatch({ rooms, database, bus, logger }: Options): AccessWatch {
  /** The mark of the members at which a room's readers were last checked. */
  const seen = new Map<string, string>();

  async function checkAll(): Promise<void> {
    const open = rooms.names().flatMap((name) => conversationOf(name) ?? []);
    const isOpen = new Set(open);
    for (const id of seen.keys()) if (!isOpen.has(id)) seen.delete(id);
    if (open.length === 0) return;
    const marks = await readMembershipMarks(database, open);
    const changed = new Set(open.filter((id) => !marks.has(id) || marks.get(id) !== seen.get(id)));
    await checkReaders(changed);
    for (const [id, mark] of marks) seen.set(id, mark);
  }

  async function checkReaders(conversationIds: Set<string>, userId?: string): Promise<void> {
    const pairs = rooms.readers().flatMap(({ room, reader }) => {
      const conversationId = conversationOf(room);
      if (conversationId === null || !conversationIds.has(conversationId)) return [];
      if (userId !== undefined && reader.userId !== userId) return [];
      return [{ room, reader, conversationId, userId: reader.userId }];
    });
    if (pairs.length === 0) return;
    const memberships = await findMemberships(database, pairs);
    const readsFrom = new Map(
      memberships.map((found) => [`${found.conversationId} ${found.userId}`, found.readsFromSeq]),
    );
    for (const { room, reader, conversationId } of pairs) {
      const readsFromSeq = readsFrom.get(`${conversationId} ${reader.userId}`);
      if (readsFromSeq === undefined) rooms.expel(room, reader.userId);
      else rooms.restrict(room, reader.id, readsFromSeq);
    }
  }

  const log = (error: unknown): void => logger.debug({ err: error }, 'the readers of the rooms could not be checked');
  bus.onControl((message) => {
    if (message.type === 'access-revoked') rooms.expel(message.room, message.userId);
    const conversationId = message.type === 'access-changed' ? conversationOf(message.room) : null;
    if (conversationId !== null && 'userId' in message)
      checkReaders(new Set([conversationId]), message.userId).catch(log);
  });
  bus.onRegained(() => {
    seen.clear();
    checkAll()
      .catch(log)
      .finally(() => {
        for (const { reader } of rooms.readers()) reader.missed();
      });
  });
  let checking = false;
  const timer = setInterval(() => {
    if (checking) return;
    checking = true;
    checkAll()
      .catch(log)
      .finally(() => (checking = false));
  }, checkMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
