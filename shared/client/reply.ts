import type { MessageView, ServerEvent, ServerEventPayloads } from '../realtime/events.js';
import { createReplyFollower, type ReplyFollower } from '../realtime/reply-follower.js';
import type { Closing } from './closing.js';
import type { Connection } from './connection.js';
import { createEmitter, type Emitter } from './emitter.js';
import { backoffMs, ClientError } from './errors.js';

export type ReplyState = MessageView['state'];

export type ReplyEvents = {
  /** An attempt has begun; the text starts again. */
  started: { attempt: number };
  /** The text has grown by `delta`, or was replaced by it (`reset`). */
  text: { text: string; delta: string; reset: boolean };
  done: MessageView;
  failed: MessageView;
  cancelled: MessageView;
};

/** A reply of Claude as it is written. */
export type Reply = Pick<Emitter<ReplyEvents>, 'on'> & {
  readonly messageId: string;
  readonly conversationId: string;
  readonly attempt: number;
  readonly text: string;
  readonly state: ReplyState;
  /** As it was stored, when it has ended. */
  readonly message: MessageView | null;
  /** Resolves with the stored message when the reply has ended, however it did. */
  readonly finished: Promise<MessageView>;
  /** Stops it; what it said is kept. */
  cancel(): Promise<MessageView>;
};

/** A reply with what drives it. */
export type DrivenReply = Reply & {
  take<Event extends ServerEvent>(event: Event, payload: ServerEventPayloads[Event]): void;
  /** Milliseconds (of `performance.now`) at which something was last heard of it. */
  heardAt(): number;
  follower: ReplyFollower;
};

type Options = { connection: Connection; conversationId: string; messageId: string; closing: Closing };

export function createReply({ connection, conversationId, messageId, closing }: Options): DrivenReply {
  const emitter = createEmitter<ReplyEvents>();
  let attempt = 0;
  let state: ReplyState = 'queued';
  let text = '';
  let message: MessageView | null = null;
  let heardAt = performance.now();
  let finish: (message: MessageView) => void = () => {};
  const finished = new Promise<MessageView>((resolve) => (finish = resolve));

  function append(delta: string): void {
    text += delta;
    emitter.emit('text', { text, delta, reset: false });
  }

  function replace(next: string): void {
    text = next;
    emitter.emit('text', { text, delta: text, reset: true });
  }

  const follower = createReplyFollower({
    async resume(position) {
      heardAt = performance.now();
      try {
        return await connection.request('reply:resume', { messageId, ...position });
      } catch (error) {
        if (error instanceof ClientError) return null;
        throw error;
      }
    },
    onAttempt(next) {
      attempt = next;
      state = 'running';
      message = null;
      emitter.emit('started', { attempt });
      if (text !== '') replace('');
    },
    onDelta: append,
    onEnd(stored) {
      attempt = stored.attempt;
      state = stored.state;
      message = stored;
      if (!stored.content.startsWith(text)) replace(stored.content);
      else if (stored.content.length > text.length) append(stored.content.slice(text.length));
      if (state === 'done' || state === 'failed' || state === 'cancelled') emitter.emit(state, stored);
      finish(stored);
    },
    wait: (tries) => closing.pause(backoffMs(tries, 2_000)),
  });

  return {
    on: emitter.on,
    messageId,
    conversationId,
    get attempt() {
      return attempt;
    },
    get text() {
      return text;
    },
    get state() {
      return state;
    },
    get message() {
      return message;
    },
    finished,
    cancel: async () => (await connection.request('reply:cancel', { messageId })).message,
    take(event, payload) {
      heardAt = performance.now();
      if (event === 'reply:started') follower.started((payload as ServerEventPayloads['reply:started']).attempt);
      else if (event === 'reply:delta') follower.delta(payload as ServerEventPayloads['reply:delta']);
      else follower.ended(payload as ServerEventPayloads['reply:done']);
    },
    heardAt: () => heardAt,
    follower,
  };
}
