import { createClosing } from './closing.js';
import type { Connection } from './connection.js';
import { createReply, type DrivenReply } from './reply.js';

/** The replies of one conversation that the client knows of. */
export type Replies = {
  get(messageId: string): DrivenReply | undefined;
  /** The reply with this id, made when it is not known yet. */
  ensure(messageId: string): DrivenReply;
  running(): DrivenReply[];
  close(): void;
};

/** Ended replies are remembered, so that what is still on its way of one does not begin it again. */
const maxEnded = 200;

/** A running reply that nothing was heard of for so long is asked about, in milliseconds: an event may be lost. */
const silenceMs = 10_000;

type Options = { connection: Connection; conversationId: string; onNew(reply: DrivenReply): void };

export function createReplies({ connection, conversationId, onNew }: Options): Replies {
  const replies = new Map<string, DrivenReply>();
  const closing = createClosing();
  const running = (): DrivenReply[] => [...replies.values()].filter(({ follower }) => !follower.hasEnded());

  const timer = setInterval(() => {
    if (!connection.session()) return;
    for (const reply of running()) {
      if (performance.now() - reply.heardAt() >= silenceMs) void reply.follower.catchUp();
    }
  }, silenceMs / 4);

  function forgetOldest(): void {
    if (replies.size <= maxEnded) return;
    for (const [id, { follower }] of replies) {
      if (!follower.hasEnded()) continue;
      replies.delete(id);
      return;
    }
  }

  return {
    get: (messageId) => replies.get(messageId),
    ensure(messageId) {
      const known = replies.get(messageId);
      if (known) return known;
      const reply = createReply({ connection, conversationId, messageId, closing });
      replies.set(messageId, reply);
      forgetOldest();
      onNew(reply);
      return reply;
    },
    running,
    close() {
      clearInterval(timer);
      closing.close();
      for (const { follower } of replies.values()) follower.stop();
    },
  };
}
