import type { Server, Socket } from 'socket.io';
import type { Principal } from '../../shared/accounts/principal.js';
import type { Queues } from '../../shared/in-turn.js';
import type { ServerEvent, ServerEventPayloads } from '../../shared/realtime/events.js';
import { type Bucket, createBucket, forCursors, forTyping } from './bucket.js';

/** What the server may emit. */
export type ServerEmits = { [Event in ServerEvent]: (payload: ServerEventPayloads[Event]) => void };

/** What clients may emit is checked when it arrives, by the schemas of `clientEvents`: here it is nobody's promise. */
type Unchecked = Record<string, never>;

export type SocketServer = Server<Unchecked, ServerEmits, Unchecked, { session: Session }>;
export type ClientSocket = Socket<Unchecked, ServerEmits, Unchecked, { session: Session }>;

/** One connected socket. */
export type Session = {
  socket: ClientSocket;
  token: string;
  principal: Principal;
  /** The rooms it is in, or on its way into. */
  rooms: Set<string>;
  /** Events it may still send. */
  bucket: Bucket;
  /** The same for edits and for cursors, of which there are many. */
  typingBucket: Bucket;
  cursorBucket: Bucket;
  /** What is being done in a room, or with the text of a document: a join and a leave, or two edits, do not cross. */
  turns: Queues;
  /** Ends the watch over its token. */
  unwatch: () => void;
  /** By room: when the others were last shown that it types, and what ends it. */
  typing: Map<string, { shownAt: number; expiry: NodeJS.Timeout }>;
  /** By document: the client ids that are its account's, with the clock of what each shows; -1 for nothing. */
  clients: Map<string, Map<number, number>>;
};

export function createSession(socket: ClientSocket, token: string, principal: Principal): Session {
  return {
    socket,
    token,
    principal,
    rooms: new Set(),
    bucket: createBucket(),
    typingBucket: createBucket(forTyping),
    cursorBucket: createBucket(forCursors),
    turns: new Map(),
    unwatch: () => {},
    typing: new Map(),
    clients: new Map(),
  };
}
