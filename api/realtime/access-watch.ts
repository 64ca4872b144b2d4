import { findMemberships, readMembershipMarks } from '../../shared/conversations/membership-checks.js';
import type { Sql } from '../../shared/database.js';
import { findReaders, readAccessMarks } from '../../shared/documents/access-checks.js';
import type { Logger } from '../../shared/logger.js';
import type { RoomBus } from '../../shared/realtime/room-bus.js';
import { conversationOf, documentOf } from '../../shared/realtime/rooms.js';
import type { OpenRooms } from './open-rooms.js';

/** Takes readers out of conversations and documents that they may not read any more. */
export type AccessWatch = { close(): void };

type Options = { rooms: OpenRooms; database: Sql; bus: RoomBus; logger: Logger };

/** How the rooms of one kind are checked. */
type RoomKind = {
  /** The id of what the room is of; null for rooms of other kinds. */
  idOf(room: string): string | null;
  /** Of each that exists a value that changes with who may read it. */
  readMarks(sql: Sql, ids: string[]): Promise<Map<string, string>>;
  /** Of the pairs those that may read, and from where. */
  findReaders(sql: Sql, pairs: { id: string; userId: string }[]): Promise<Right[]>;
};

type Right = { id: string; userId: string; readsFromSeq: number };

const kinds: readonly RoomKind[] = [
  {
    idOf: conversationOf,
    readMarks: readMembershipMarks,
    async findReaders(sql, pairs) {
      const found = await findMemberships(
        sql,
        pairs.map(({ id, userId }) => ({ conversationId: id, userId })),
      );
      return found.map(({ conversationId, userId, readsFromSeq }) => ({ id: conversationId, userId, readsFromSeq }));
    },
  },
  {
    idOf: documentOf,
    readMarks: readAccessMarks,
    findReaders: async (sql, pairs) => (await findReaders(sql, pairs)).map((found) => ({ ...found, readsFromSeq: 0 })),
  },
];

/** How long a revocation whose message got lost can stay unseen, in milliseconds. */
const checkMs = 1_000;

/**
 * A revocation is heard of at once. Since that message is only published, not stored, a mark of the readers of
 * every open room is compared once a second, in one query by primary keys for each kind; only where it has changed
 * are the readers looked at one by one.
 */
export function createAccessWatch({ rooms, database, bus, logger }: Options): AccessWatch {
  /** By room the mark at which its readers were last checked. */
  const seen = new Map<string, string>();

  async function checkAll(): Promise<void> {
    const open = rooms.names();
    const isOpen = new Set(open);
    for (const room of seen.keys()) if (!isOpen.has(room)) seen.delete(room);
    for (const kind of kinds) await checkKind(kind, open);
  }

  async function checkKind(kind: RoomKind, open: string[]): Promise<void> {
    const ids = open.flatMap((room) => kind.idOf(room) ?? []);
    if (ids.length === 0) return;
    const marks = await kind.readMarks(database, ids);
    const changed = open.filter((room) => {
      const id = kind.idOf(room);
      return id !== null && (!marks.has(id) || marks.get(id) !== seen.get(room));
    });
    await checkReaders(kind, new Set(changed));
    for (const room of changed) {
      const mark = marks.get(kind.idOf(room) ?? '');
      if (mark !== undefined) seen.set(room, mark);
    }
  }

  async function checkReaders(kind: RoomKind, names: Set<string>, userId?: string): Promise<void> {
    const pairs = rooms.readers().flatMap(({ room, reader }) => {
      const id = kind.idOf(room);
      if (id === null || !names.has(room) || (userId !== undefined && reader.userId !== userId)) return [];
      return [{ room, reader, id, userId: reader.userId }];
    });
    if (pairs.length === 0) return;
    const rights = await kind.findReaders(database, pairs);
    const readsFrom = new Map(rights.map((right) => [`${right.id} ${right.userId}`, right.readsFromSeq]));
    for (const { room, reader, id } of pairs) {
      const readsFromSeq = readsFrom.get(`${id} ${reader.userId}`);
      if (readsFromSeq === undefined) rooms.expel(room, reader.userId);
      else rooms.restrict(room, reader.id, readsFromSeq);
    }
  }

  const log = (error: unknown): void => logger.debug({ err: error }, 'the readers of the rooms could not be checked');
  bus.onControl((message) => {
    if (message.type === 'access-revoked') rooms.expel(message.room, message.userId);
    if (message.type !== 'access-changed') return;
    const { room, userId } = message;
    const kind = kinds.find(({ idOf }) => idOf(room) !== null);
    if (kind) checkReaders(kind, new Set([room]), userId).catch(log);
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
