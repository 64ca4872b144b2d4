import { randomUUID } from 'node:crypto';
import type { Database } from '../../shared/database.js';
import { findMessage, presentMessage } from '../../shared/conversations/message.js';
import { saveReply } from '../../shared/conversations/reply.js';
import { createLogger } from '../../shared/logger.js';
import { rooms } from '../../shared/realtime/events.js';
import type { Publisher } from '../../shared/realtime/publisher.js';
import type { EndState } from '../../shared/realtime/reply-frames.js';
import type { ReplyLog } from '../../shared/realtime/reply-log.js';
import { createReplyWriter, type ReplyWriter } from '../../shared/realtime/reply-writer.js';

/** A reply that a test writes itself, in place of a worker. */
export type ScriptedReply = {
  messageId: string;
  /** Begins an attempt as a worker does. What it writes is not saved before {@link ScriptedReply.end}. */
  attempt(number: number): Promise<ReplyWriter>;
  /** Saves what was said, then announces it, as a worker does. */
  end(writer: ReplyWriter, attempt: number, content: string, state?: EndState): Promise<void>;
  /** Saves it without a word to anybody. */
  save(attempt: number, content: string, state?: EndState): Promise<void>;
};

type Stores = { database: Database; replyLog: ReplyLog; publisher: Publisher };

/** Puts a queued reply into a conversation, with the message that it answers, and tells its readers. */
export async function scriptReply(stores: Stores, conversationId: string): Promise<ScriptedReply> {
  const { database, replyLog, publisher } = stores;
  const logger = createLogger({ level: 'silent', role: 'test' });
  const ids = { message: randomUUID(), reply: randomUUID() };
  const { rows } = await database.query<{ lastSeq: number }>(
    'UPDATE conversations SET last_seq = last_seq + 2 WHERE id = $1 RETURNING last_seq AS "lastSeq"',
    [conversationId],
  );
  const messageSeq = rows[0]?.lastSeq ?? 0;
  await database.query(
    `INSERT INTO messages (id, conversation_id, seq, role, content, reply_to, state) VALUES
      ($1, $2, $3, 'user', 'Question', NULL, 'done'), ($4, $2, $5, 'assistant', '', $1, 'queued')`,
    [ids.message, conversationId, messageSeq - 1, ids.reply, messageSeq],
  );
  const address = { messageId: ids.reply, conversationId, messageSeq };
  const created = await findMessage(database, ids.reply);
  if (!created) throw new Error('the reply was not stored');
  const event = { conversationId, message: presentMessage(created) };
  await publisher.emit(rooms.conversation(conversationId), 'message:created', event, messageSeq);

  async function save(attempt: number, content: string, state: EndState = 'done') {
    const saved = await saveReply(database, {
      messageId: ids.reply,
      attempt,
      state,
      content,
      error: null,
      metadata: null,
      model: null,
    });
    if (!saved) throw new Error('the reply had ended before');
    return presentMessage(saved);
  }

  return {
    messageId: ids.reply,
    async attempt(attempt) {
      // As a worker does that holds the job; here there is none.
      await database.query(`UPDATE messages SET state = 'running', attempt = $2 WHERE id = $1 AND attempt < $2`, [
        ids.reply,
        attempt,
      ]);
      const { signal } = new AbortController();
      return createReplyWriter({
        log: replyLog,
        address,
        attempt,
        guard: async () => {},
        signal,
        onLost: () => {},
        logger,
      });
    },
    async end(writer, attempt, content, state = 'done') {
      await writer.drain();
      const message = await save(attempt, content, state);
      await replyLog.append(address, { type: 'end', attempt, seq: writer.nextSeq(), state, message });
    },
    save: async (...saved) => void (await save(...saved)),
  };
}
