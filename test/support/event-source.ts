/** What a stream of server-sent events brought. */
export type SentEvent = { id: string; name: string; data: unknown };

/** Reads server-sent events as a client over HTTP does. */
export type EventReader = {
  status: number;
  headers: Headers;
  /** The next event; null at the end. */
  next(): Promise<SentEvent | null>;
  /** All events to the end. */
  rest(): Promise<SentEvent[]>;
  /** Breaks the connection. */
  abort(): void;
};

export async function readEvents(url: string, token: string, lastEventId?: string): Promise<EventReader> {
  const aborting = new AbortController();
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${token}`, ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
    signal: aborting.signal,
  });
  const events = parse(response.body);
  const next = async (): Promise<SentEvent | null> => (await events.next()).value ?? null;
  return {
    status: response.status,
    headers: response.headers,
    next,
    async rest() {
      const all: SentEvent[] = [];
      for (let event = await next(); event; event = await next()) all.push(event);
      return all;
    },
    abort: () => aborting.abort(),
  };
}

async function* parse(body: ReadableStream<Uint8Array> | null): AsyncGenerator<SentEvent, undefined> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = parseEvent(text.slice(0, end));
      text = text.slice(end + 2);
      if (event) yield event;
    }
  }
  return undefined;
}

function parseEvent(block: string): SentEvent | null {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const data = fields.get('data');
  return data === undefined
    ? null
    : { id: fields.get('id') ?? '', name: fields.get('event') ?? '', data: JSON.parse(data) };
}
