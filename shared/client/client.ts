import type { ClientEventAck, ServerEvent, ServerEventPayloads } from '../realtime/events.js';
import { conversationOf } from '../realtime/rooms.js';
import {
  type Connection,
  type ConnectionEvents,
  type ConnectionOptions,
  createConnection,
  type SessionInfo,
} from './connection.js';
import { type Conversation, createConversation, type DrivenConversation } from './conversation.js';
import { createEmitter, type Emitter } from './emitter.js';

export type ClientEvents = Pick<ConnectionEvents, 'connected' | 'disconnected' | 'unauthorized'> & {
  /** How a watched job is doing. */
  job:
    | { jobId: string; state: string; progress: unknown }
    | { jobId: string; state: 'done' }
    | { jobId: string; state: 'failed'; error: { code: string; message: string } };
};

/** A connection to Millrace for browsers and Node: joins, sends, resumes and comes back by itself. */
export type Client = Pick<Emitter<ClientEvents>, 'on'> & {
  /** What document providers speak through. */
  readonly connection: Connection;
  /**
   * Opens a conversation, and again after each reconnect. Listeners that are put on in the same turn as this
   * resolves miss no reply. The same conversation twice is one.
   *
   * @throws ClientError `not_found`, or `closed`.
   */
  join(conversationId: string): Promise<Conversation>;
  /** Hears of a job as `job` events. */
  watchJob(jobId: string): Promise<Omit<ClientEventAck<'job:watch'>, 'ok'>>;
  /** Who the server says we are; null while not connected. */
  session(): SessionInfo | null;
  close(): void;
};

/** After a resync clients do not come all at once, in milliseconds. */
const spreadMs = 300;

export function createClient(options: ConnectionOptions): Client {
  const emitter = createEmitter<ClientEvents>();
  const connection = createConnection(options);
  const conversations = new Map<string, DrivenConversation>();
  const jobs = new Set<string>();
  let connectedBefore = false;

  function rejoin(conversation: DrivenConversation | undefined): void {
    // Refused for good: it has said so to its listeners.
    conversation?.join().catch(() => {});
  }

  function take(name: ServerEvent, payload: unknown): void {
    const { conversationId, room } = payload as { conversationId?: string; room?: string };
    const id = conversationId ?? (room === undefined ? null : conversationOf(room));
    if (name === 'room:resync') setTimeout(() => rejoin(conversations.get(id ?? '')), Math.random() * spreadMs);
    else if (name.startsWith('job:')) takeJob(name, payload);
    else if (id !== null) conversations.get(id)?.take(name, payload);
  }

  function takeJob(name: ServerEvent, payload: unknown): void {
    if (name === 'job:progress') {
      emitter.emit('job', payload as ServerEventPayloads['job:progress']);
      return;
    }
    const { jobId, error } = payload as ServerEventPayloads['job:failed'];
    jobs.delete(jobId);
    emitter.emit('job', name === 'job:done' ? { jobId, state: 'done' } : { jobId, state: 'failed', error });
  }

  connection.on('event', ({ name, payload }) => take(name, payload));
  connection.on('connected', (session) => {
    if (connectedBefore) {
      for (const conversation of conversations.values()) rejoin(conversation);
      for (const jobId of jobs) connection.request('job:watch', { jobId }).catch(() => jobs.delete(jobId));
    }
    connectedBefore = true;
    emitter.emit('connected', session);
  });
  connection.on('disconnected', (why) => emitter.emit('disconnected', why));
  connection.on('unauthorized', (error) => emitter.emit('unauthorized', error));

  return {
    on: emitter.on,
    connection,
    async join(conversationId) {
      // As the server spells it in its events.
      const id = conversationId.toLowerCase();
      const known = conversations.get(id);
      if (known) return known;
      const conversation = createConversation({ connection, id, onClosed: () => conversations.delete(id) });
      conversations.set(id, conversation);
      try {
        await conversation.join();
      } catch (error) {
        conversation.close();
        throw error;
      }
      return conversation;
    },
    async watchJob(jobId) {
      jobs.add(jobId);
      const { state, progress } = await connection.request('job:watch', { jobId });
      return { state, progress };
    },
    session: () => connection.session(),
    close() {
      for (const conversation of [...conversations.values()]) conversation.close();
      connection.close();
    },
  };
}
