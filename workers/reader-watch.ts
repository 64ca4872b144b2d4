import { rooms } from '../shared/realtime/events.js';
import type { ControlMessage } from '../shared/realtime/publisher.js';

/** A reply that is being written, and what it depends on. */
type Watched = {
  conversationId: string;
  /** The documents that it draws on by now. */
  documentIds(): readonly string[];
  /** Looks again at who may read it. Never throws. */
  look(): void;
};

/**
 * Tells the replies that this process writes when somebody is added to their conversation, or loses the access to a
 * document that they draw on. A message that gets lost does no harm: a reply is not saved before its readers were
 * looked at again. But until then somebody new would be shown what it draws on, and the tokens be paid for.
 */
export type ReaderWatch = {
  /** @returns what ends it. */
  watch(reply: Watched): () => void;
  hear(message: ControlMessage): void;
};

export function createReaderWatch(): ReaderWatch {
  const watched = new Set<Watched>();
  return {
    watch(reply) {
      watched.add(reply);
      return () => void watched.delete(reply);
    },
    hear(message) {
      if (message.type !== 'access-changed' && message.type !== 'access-revoked') return;
      const { room } = message;
      for (const reply of watched) {
        const depends =
          message.type === 'access-changed'
            ? room === rooms.conversation(reply.conversationId)
            : reply.documentIds().some((id) => room === rooms.document(id));
        if (depends) reply.look();
      }
    },
  };
}
