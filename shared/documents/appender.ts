import type { Sql } from '../database.js';
import { AppError, isUnavailable } from '../errors.js';
import type { Logger } from '../logger.js';
import { rooms } from '../realtime/rooms.js';
import type { Publisher } from '../realtime/publisher.js';
import { type Appended, appendUpdates, explainRefusal, type NewUpdate } from './append.js';

/** Adds the updates of a process to their documents, and tells the rooms. */
export type Appender = {
  /**
   * Resolves when Postgres has the update. Readers are told after that.
   *
   * @param except the reader (a socket's id) who is not told, because it is where the update comes from.
   * @throws AppError `not_found`, `forbidden`, `payload_too_large`; and what Postgres throws when it is away:
   * whether it has the update is then unknown, and sending it again is right.
   */
  append(update: NewUpdate, except?: string): Promise<{ seq: number }>;
};

type Options = {
  database: Sql;
  publisher: Publisher;
  /** Called after a commit when the log of a document has become long, and when it takes nothing more. */
  onDue(documentId: string, userId: string): void;
  logger: Logger;
};

type Waiting = NewUpdate & {
  except: string | undefined;
  resolve(appended: { seq: number }): void;
  reject(error: unknown): void;
};

/** What goes into one commit: enough to share its cost, not so much that the first waits for the last. */
const maxGroup = 500;
const maxGroupBytes = 4 * 1024 * 1024;

/** An update of more bytes is not sent to everybody at once; who has the document open asks for it. */
const maxBroadcastBytes = 256 * 1024;

/** Two groups are under way at most: while one waits for the disk or for a document's lock, the next one gathers. */
const maxGroups = 2;

/**
 * Commits in groups without a timer: the first update goes at once, and what comes while groups are under way goes
 * with the next. With little to do nobody waits; with much a commit is shared by many.
 */
export function createAppender({ database, publisher, onDue, logger }: Options): Appender {
  let waiting: Waiting[] = [];
  let groups = 0;
  let scheduled = false;

  function schedule(): void {
    if (scheduled || groups >= maxGroups || waiting.length === 0) return;
    scheduled = true;
    // Updates of one turn of the event loop, from many sockets, share a group from the start.
    setImmediate(() => {
      scheduled = false;
      groups += 1;
      void commit(takeGroup()).finally(() => {
        groups -= 1;
        schedule();
      });
      schedule();
    });
  }

  function takeGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { update } of waiting) {
      bytes += update.byteLength;
      if (count > 0 && (count === maxGroup || bytes > maxGroupBytes)) break;
      count += 1;
    }
    const group = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return group;
  }

  async function commit(group: Waiting[]): Promise<void> {
    try {
      const results = await appendUpdates(database, group);
      group.forEach((item, index) => settle(item, results[index] ?? null));
    } catch (error) {
      const parts = bySender(group);
      if (parts.length === 1 || isUnavailable(error)) {
        for (const { reject } of group) reject(error);
        return;
      }
      // Nothing of it is stored. What is wrong with the edits of one must not keep those of others from being saved.
      logger.warn({ err: error, updates: group.length }, 'edits could not be stored together; each sender apart now');
      for (const part of parts) await commit(part);
    }
  }

  function settle(item: Waiting, appended: Appended | null): void {
    if (!appended) {
      explainRefusal(database, item).catch((error: unknown) => {
        // What was deleted meanwhile is not in the log any more once that is compacted.
        if (error instanceof AppError && error.code === 'payload_too_large') onDue(item.documentId, item.userId);
        item.reject(error);
      });
      return;
    }
    const { seq, due } = appended;
    item.resolve({ seq });
    announceUpdate(publisher, { ...item, seq });
    if (due) onDue(item.documentId, item.userId);
  }

  return {
    append: (update, except) =>
      new Promise((resolve, reject) => {
        waiting.push({ ...update, except, resolve, reject });
        if (waiting.length > 10 * maxGroup) logger.debug({ waiting: waiting.length }, 'updates of documents pile up');
        schedule();
      }),
  };
}

/** Apart what different people sent, or of different documents. What one sent stays together: it goes on with itself. */
function bySender(group: Waiting[]): Waiting[][] {
  const parts = new Map<string, Waiting[]>();
  for (const item of group) {
    const key = `${item.documentId} ${item.userId}`;
    parts.set(key, [...(parts.get(key) ?? []), item]);
  }
  return [...parts.values()];
}

/** Tells the readers of a document what was added to it. */
export function announceUpdate(
  publisher: Publisher,
  stored: NewUpdate & { seq: number; except?: string | undefined },
): void {
  const { documentId, userId, update, seq, except } = stored;
  const room = rooms.document(documentId);
  const tooLarge = update.byteLength > maxBroadcastBytes;
  if (tooLarge) void publisher.emit(room, 'document:changed', { documentId, seq }, undefined, except);
  else void publisher.emit(room, 'document:update', { documentId, seq, update, userId }, undefined, except);
}
