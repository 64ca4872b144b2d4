import type { Context } from '../../shared/context.js';
import { isUnavailable } from '../../shared/errors.js';
import { type Appender, createAppender } from '../../shared/documents/appender.js';
import { scheduleCompaction } from '../../shared/documents/schedule-compaction.js';

/** The appender of a web process: what it stores is told to the rooms, and a log that grows is compacted. */
export function createDocumentAppender(ctx: Context): Appender {
  const { database, publisher, dispatcher, logger } = ctx;
  const asking = new Set<string>();
  return createAppender({
    database,
    publisher,
    logger,
    onDue(documentId, userId) {
      if (asking.has(documentId)) return;
      asking.add(documentId);
      scheduleCompaction(database, { documentId, userId })
        .then((ready) => ready && dispatcher.kick(ready))
        // The next update asks again.
        .catch((error: unknown) =>
          logger[isUnavailable(error) ? 'debug' : 'warn']({ err: error }, 'a compaction was not asked for'),
        )
        .finally(() => asking.delete(documentId));
    },
  });
}
