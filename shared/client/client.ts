import type { ClientEventAck, ServerEvent } from '../realtime/events.js';
import { conversationOf, jobOf } from '../realtime/rooms.js';
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
  /** How a watched job is doing; after a reconnect once more, however it stands by then. */
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
  /** Says how a job stands, and tells of it as `job` events until it has ended. */
  watchJob(jobId: string): Promise<WatchedJob>;
  /** Who the server says we are; null while not connected. */
  session(): SessionInfo | null;
  close(): void;
};

type WatchedJob = Omit<ClientEventAck<'job:watch'>, 'ok'>;

/** The states that nothing follows. */
const isOver = (state: string): boolean => ['done', 'failed', 'cancelled'].includes(state);

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
    if (name === 'room:resync') setTimeout(() => resync(room ?? ''), Math.random() * spreadMs);
    else if (name.startsWith('job:')) takeJob(name, payload);
    else if (id !== null) conversations.get(id)?.take(name, payload);
  }

  function resync(room: string): void {
    const jobId = jobOf(room);
    if (jobId === null) rejoin(conversations.get(conversationOf(room) ?? ''));
    else if (jobs.has(jobId)) watchAgain(jobId);
  }

  /** Of how a job goes on the event names the state; the others are named after it. */
  function takeJob(name: ServerEvent, payload: unknown): void {
    const { jobId, ...told } = payload as { jobId: string } & Partial<WatchedJob>;
    const state = told.state ?? name.slice('job:'.length);
    tellJob(jobId, { progress: null, error: null, ...told, state });
  }

  function tellJob(jobId: string, { state, progress, error }: WatchedJob): void {
    if (isOver(state)) jobs.delete(jobId);
    if (state === 'done') emitter.emit('job', { jobId, state });
    else if (state === 'failed' && error) emitter.emit('job', { jobId, state, error });
    else emitter.emit('job', { jobId, state, progress });
  }

  async function watch(jobId: string): Promise<WatchedJob> {
    jobs.add(jobId);
    const { state, progress, error } = await connection.request('job:watch', { jobId });
    if (isOver(state)) jobs.delete(jobId);
    return { state, progress, error };
  }

  /** It may have ended while nobody listened. */
  function watchAgain(jobId: string): void {
    watch(jobId).then(
      (job) => tellJob(jobId, job),
      () => jobs.delete(jobId),
    );
  }

  connection.on('event', ({ name, payload }) => take(name, payload));
  connection.on('connected', (session) => {
    if (connectedBefore) {
      for (const conversation of conversations.values()) rejoin(conversation);
      for (const jobId of [...jobs]) watchAgain(jobId);
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
    watchJob: (jobId) => watch(jobId.toLowerCase()),
    session: () => connection.session(),
    close() {
      for (const conversation of [...conversations.values()]) conversation.close();
      connection.close();
    },
  };
}
