import { type MessageView, rooms } from '../realtime/events.js';
import type { Publisher } from '../realtime/publisher.js';

/**
 * Tells the readers of a conversation that a message is another one now. Its citations are left out: they depend on who
 * reads, the event goes to all, and what a reply has quoted does not change.
 */
export function announceUpdated({ publisher }: { publisher: Publisher }, message: MessageView): void {
  const { conversationId, seq } = message;
  const { citations: _citations, ...changed } = message;
  const payload = { conversationId, message: changed };
  void publisher.emit(rooms.conversation(conversationId), 'message:updated', payload, seq);
}
