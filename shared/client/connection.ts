import { io, type Socket } from 'socket.io-client';
import type {
  ClientEvent,
  ClientEventAck,
  ClientEventPayload,
  Refusal,
  ServerEvent,
  ServerEventPayloads,
} from '../realtime/events.js';
import { createClosing } from './closing.js';
import { createEmitter, type Emitter, type Off } from './emitter.js';
import { backoffMs, ClientError, closedError, isAboutToken, isPassing } from './errors.js';

export type ConnectionOptions = {
  /** Where the server is, as `https://host`. */
  url: string;
  /** An access token or API key that lasts; or … */
  token?: string;
  /** … a function that gives a fresh one, asked before each connect and before the last one expires. */
  getToken?: () => string | Promise<string>;
  /** WebSocket first, unless told. */
  transports?: ('websocket' | 'polling')[];
};

/** Who the server says we are, until when the token is good (epoch milliseconds), null without end. */
export type SessionInfo = ServerEventPayloads['session'];

export type ConnectionEvents = {
  connected: SessionInfo;
  disconnected: { reason: string };
  /** The token was not accepted. With `getToken` it is tried again later, else the client has closed itself. */
  unauthorized: ClientError;
  /** Every other event of the server. */
  event: { name: ServerEvent; payload: unknown };
};

/** One socket that comes back by itself. */
export type Connection = Emitter<ConnectionEvents> & {
  /**
   * Sends an event until it was acknowledged, across reconnects. Every event can be sent twice without harm.
   *
   * @param mostFailures how often the server may fail at it (`internal`) before that is thrown; for ever unless told.
   * @throws ClientError what the server refused for good, or `closed`.
   */
  request<Event extends ClientEvent>(
    event: Event,
    payload: ClientEventPayload<Event>,
    mostFailures?: number,
  ): Promise<ClientEventAck<Event>>;
  /** Sends an event once if there is a connection; whether it arrived is not asked. */
  send<Event extends ClientEvent>(event: Event, payload: ClientEventPayload<Event>): void;
  session(): SessionInfo | null;
  /** Called once, with the reason: the client was closed, or its token was not accepted. Also when that is over already. */
  onClosed(listener: (why: ClientError) => void): Off;
  close(): void;
};

/** Without an acknowledgement for so long an event is sent again, then after twice as long, in milliseconds. */
const acknowledgeMs = 10_000;

type Answer = { ok: true } | Refusal;

export function createConnection(options: ConnectionOptions): Connection {
  const emitter = createEmitter<ConnectionEvents>();
  const closing = createClosing();
  let session: SessionInfo | null = null;
  let refusals = 0;
  let why = closedError();
  let renewal: ReturnType<typeof setTimeout> | undefined;

  const token = async (): Promise<string> => (options.getToken ? options.getToken() : (options.token ?? ''));
  const socket: Socket = io(options.url, {
    transports: options.transports ?? ['websocket', 'polling'],
    tryAllTransports: true,
    multiplex: false,
    reconnectionDelay: 200,
    reconnectionDelayMax: 5_000,
    auth: (give) =>
      void token().then(
        (token) => give({ token }),
        () => give({ token: '' }),
      ),
  });

  /** The server does not want us as we are: it is asked again later, if that can help. */
  function refused(error: ClientError): void {
    if (isAboutToken(error.type)) {
      emitter.emit('unauthorized', error);
      if (!options.getToken) {
        why = error;
        close();
        return;
      }
    }
    refusals += 1;
    void closing.pause(backoffMs(refusals)).then(() => {
      if (!closing.closed && !socket.connected) socket.connect();
    });
  }

  function welcome(info: SessionInfo): void {
    const isNew = session === null;
    session = info;
    refusals = 0;
    clearTimeout(renewal);
    if (info.expiresInMs !== null && options.getToken) {
      // Not by the own clock: where that is ahead, a token would be asked for again and again.
      renewal = setTimeout(() => void renew(), Math.min(Math.max(info.expiresInMs * 0.8, 1_000), 2 ** 31 - 1));
    }
    if (isNew) emitter.emit('connected', info);
  }

  /** When it fails, the server ends the connection in time, and the next one is opened with another token. */
  async function renew(): Promise<void> {
    try {
      await request('authenticate', { token: await token() });
    } catch {
      // As above.
    }
  }

  socket.on('session', welcome);
  socket.on('connect_error', (error: Error & { data?: { type?: string } }) => {
    if (!socket.active) refused(new ClientError(error.data?.type ?? 'unavailable', error.message));
  });
  let reason: ClientError | null = null;
  socket.on('error', ({ type, message }: ServerEventPayloads['error']) => (reason = new ClientError(type, message)));
  socket.on('disconnect', (cause) => {
    session = null;
    clearTimeout(renewal);
    emitter.emit('disconnected', { reason: cause });
    if (cause === 'io server disconnect')
      refused(reason ?? new ClientError('unavailable', 'The server ended the connection.'));
    reason = null;
  });
  socket.onAny((name: ServerEvent, payload: unknown) => emitter.emit('event', { name, payload }));

  /** Until the server has said who we are: before that it takes no events. */
  function connected(): Promise<void> {
    if (closing.closed) return Promise.reject(closedError());
    if (session) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const offConnected = emitter.on('connected', () => {
        offConnected();
        offClosed();
        resolve();
      });
      const offClosed = closing.onClose(() => {
        offConnected();
        reject(closedError());
      });
    });
  }

  async function request<Event extends ClientEvent>(
    event: Event,
    payload: ClientEventPayload<Event>,
    mostFailures = Infinity,
  ): Promise<ClientEventAck<Event>> {
    let failures = 0;
    for (let tries = 0; ; tries += 1) {
      await connected();
      const answer = await attempt(event, payload);
      if (answer?.ok) return answer as ClientEventAck<Event>;
      const error = answer && 'error' in answer ? answer.error : null;
      const sessionOver = error !== null && isAboutToken(error.type) && event !== 'authenticate';
      if (error?.type === 'internal') failures += 1;
      const passes = error && isPassing(error.type) && failures < mostFailures;
      if (error && !passes && !sessionOver) throw new ClientError(error.type, error.message);
      await closing.pause(backoffMs(tries));
    }
  }

  /**
   * Sends an event, and again while nothing comes back. Any answer will do: on a slow line, on which the event or its
   * answer takes longer than we wait, it is that to the first.
   *
   * @returns null when the connection broke: whether it was done is then unknown.
   */
  function attempt(event: ClientEvent, payload: unknown): Promise<Answer | null> {
    return new Promise((resolve) => {
      let waitMs = acknowledgeMs;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = (answer: Answer | null): void => {
        clearTimeout(timer);
        socket.off('disconnect', broken);
        resolve(answer);
      };
      const broken = (): void => end(null);
      const send = (): void => {
        socket.emit(event, payload, end);
        timer = setTimeout(send, waitMs);
        waitMs *= 2;
      };
      socket.on('disconnect', broken);
      send();
    });
  }

  function close(): void {
    if (closing.closed) return;
    clearTimeout(renewal);
    closing.close();
    socket.disconnect();
  }

  return {
    ...emitter,
    request,
    send(event, payload) {
      if (session) socket.emit(event, payload);
    },
    session: () => session,
    onClosed(listener) {
      if (!closing.closed) return closing.onClose(() => listener(why));
      let wanted = true;
      queueMicrotask(() => wanted && listener(why));
      return () => void (wanted = false);
    },
    close,
  };
}
