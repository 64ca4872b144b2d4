import type { Ready } from '../backlog/enqueue.js';
import { rooms } from '../realtime/events.js';
import type { Publisher } from '../realtime/publisher.js';
import type { PostedMessage } from './post-message.js';

type Deps = { publisher: Publisher; dispatcher: { kick(ready: Ready): void } };

/**
 * What follows the commit of a message: its job is put on the way and its readers are told. Nobody waits for
 * it: both are repaired by others, the job by the sweep and the readers by reading.
 */
export function announcePosted({ publisher, dispatcher }: Deps, posted: PostedMessage): void {
  if (posted.ready) dispatcher.kick(posted.ready);
  if (posted.replayed) return;
  const { message, reply } = posted;
  const { conversationId } = message;
  const room = rooms.conversation(conversationId);
  void publisher.emit(room, 'message:created', { conversationId, message }, message.seq);
  if (reply) void publisher.emit(room, 'message:created', { conversationId, message: reply }, reply.seq);
}
