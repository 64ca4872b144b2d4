import type { ClientEventAck, MessageView, ServerEvent, ServerEventPayloads } from '../realtime/events.js';
import type { Connection } from './connection.js';
import { createEmitter, type Emitter } from './emitter.js';
import { ClientError } from './errors.js';
import { createPeople, type Person } from './people.js';
import { createReplies } from './replies.js';
import type { Reply } from './reply.js';

export type ConversationEvents = {
  /** Somebody said something, or a reply was asked for. */
  message: MessageView;
  /** A message was edited, deleted, superseded or tried again. Its citations are as you have them. */
  updated: ServerEventPayloads['message:updated']['message'];
  /** A reply is being written that was not known here before; listen to it at once, and nothing is missed. */
  reply: Reply;
  typing: { userId: string; name: string; typing: boolean };
  /** Somebody else opened it who had it open nowhere, or closed it everywhere. */
  joined: { userId: string; name: string };
  left: { userId: string; name: string };
  memberAdded: { userId: string };
  memberRemoved: { userId: string };
  /** The room was joined (again). Messages up to `lastSeq` that are not known here are read over HTTP. */
  synced: { lastSeq: number };
  /** The conversation may not be read any more, or is gone; nothing more is heard of it. */
  revoked: undefined;
};

/** An open conversation. */
export type Conversation = Pick<Emitter<ConversationEvents>, 'on'> & {
  readonly id: string;
  /** Who has it open, by id. */
  readonly present: ReadonlyMap<string, Person>;
  reply(messageId: string): Reply | undefined;
  runningReplies(): Reply[];
  /**
   * Posts a message, once, across reconnects. `reply` is null when Claude was not asked.
   *
   * @throws ClientError what the server refused.
   */
  send(content: string, options?: { reply?: boolean; clientId?: string }): Promise<SentMessage>;
  /** Shows the others that one types; may be called at each key. */
  typing(typing: boolean): void;
  leave(): Promise<void>;
};

export type SentMessage = { message: MessageView; reply: Reply | null };

/** A conversation with what drives it. */
export type DrivenConversation = Conversation & {
  /** @throws ClientError */
  join(): Promise<void>;
  take(event: ServerEvent, payload: unknown): void;
  close(): void;
};

type Options = { connection: Connection; id: string; onClosed(): void };

export function createConversation({ connection, id, onClosed }: Options): DrivenConversation {
  const emitter = createEmitter<ConversationEvents>();
  const people = createPeople();
  const replies = createReplies({ connection, conversationId: id, onNew: (reply) => emitter.emit('reply', reply) });
  let closed = false;

  function close(): void {
    if (closed) return;
    closed = true;
    replies.close();
    onClosed();
  }

  function revoke(): void {
    if (closed) return;
    close();
    emitter.emit('revoked', undefined);
  }

  function synced({ activeReplies, lastSeq, present }: ClientEventAck<'conversation:join'>): void {
    people.takeList(present);
    const active = new Set(activeReplies.map(({ messageId }) => messageId));
    // What ran before and does not any more has ended while nobody listened.
    for (const reply of replies.running()) if (!active.has(reply.messageId)) void reply.follower.catchUp();
    for (const { messageId, attempt, seq } of activeReplies) {
      const { follower } = replies.ensure(messageId);
      if (follower.isBehind({ attempt, seq })) void follower.catchUp();
    }
    emitter.emit('synced', { lastSeq });
  }

  function noticeReply(message: MessageView): Reply | null {
    if (message.role !== 'assistant') return null;
    const reply = replies.ensure(message.id);
    if (message.state === 'queued' || message.state === 'running') return reply;
    const { attempt } = message;
    if (!reply.follower.hasEnded()) reply.follower.ended({ attempt, seq: 0, message });
    return reply;
  }

  return {
    id,
    on: emitter.on,
    present: people.present,
    reply: (messageId) => replies.get(messageId),
    runningReplies: () => replies.running(),
    async join() {
      people.expectList();
      try {
        const answer = await connection.request('conversation:join', { conversationId: id });
        if (!closed) synced(answer);
      } catch (error) {
        if (error instanceof ClientError && error.type === 'not_found') revoke();
        throw error;
      }
    },
    async send(content, { reply, clientId = uniqueId() } = {}) {
      const sent = await connection.request('message:send', { conversationId: id, content, clientId, reply });
      return { message: sent.message, reply: sent.reply && noticeReply(sent.reply) };
    },
    typing: (typing) => connection.send('typing', { conversationId: id, typing }),
    async leave() {
      close();
      await connection.request('conversation:leave', { conversationId: id });
    },
    take(event, payload) {
      if (event.startsWith('reply:')) {
        const frame = payload as ServerEventPayloads['reply:started'];
        replies.ensure(frame.messageId).take(event, frame);
        return;
      }
      takeOther(event, payload);
    },
    close,
  };

  function takeOther(event: ServerEvent, payload: unknown): void {
    const own = connection.session()?.userId;
    const person = payload as Person;
    switch (event) {
      case 'message:created': {
        const { message } = payload as ServerEventPayloads['message:created'];
        noticeReply(message);
        emitter.emit('message', message);
        break;
      }
      case 'message:updated':
        emitter.emit('updated', (payload as ServerEventPayloads['message:updated']).message);
        break;
      case 'user:joined':
        people.change(person, true);
        if (person.userId !== own) emitter.emit('joined', { userId: person.userId, name: person.name });
        break;
      case 'user:left':
        people.change(person, false);
        if (person.userId !== own) emitter.emit('left', { userId: person.userId, name: person.name });
        break;
      case 'typing':
        if (person.userId !== own) emitter.emit('typing', payload as ServerEventPayloads['typing']);
        break;
      case 'member:added':
        emitter.emit('memberAdded', { userId: person.userId });
        break;
      case 'member:removed':
        emitter.emit('memberRemoved', { userId: person.userId });
        break;
      case 'access:revoked':
      case 'conversation:deleted':
        revoke();
        break;
      default:
        break;
    }
  }
}

/** A name for a message. `crypto.randomUUID` exists in browsers only on https pages and localhost. */
function uniqueId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
