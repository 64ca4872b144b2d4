import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.js';
import { createAnthropicModel } from './anthropic.js';
import { ModelError, type ModelListener } from './model.js';
import type { Fetch } from './streaming-fetch.js';

/** `hears` waits until the listener was told just this. */
type Play = (res: ServerResponse, hears: (said: string) => Promise<void>) => Promise<void> | void;

let server: Server;
let play: (res: ServerResponse) => Promise<void> | void;
let closed: Promise<void>;
beforeEach(async () => {
  server = createServer((req, res) => {
    req.resume();
    closed = new Promise((resolve) => res.once('close', resolve));
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.flushHeaders();
    void play(res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const event = (data: { type: string; [field: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const begin = event({ type: 'message_start', message: { model: 'm', usage: { input_tokens: 3, output_tokens: 1 } } });
const blockStart = (index: number) =>
  event({ type: 'content_block_start', index, content_block: { type: 'text', text: '' } });
const text = (index: number, said: string) =>
  event({ type: 'content_block_delta', index, delta: { type: 'text_delta', text: said } });
const citation = (index: number, source: number, quote: string) => {
  const found = { type: 'search_result_location', search_result_index: source, cited_text: quote };
  return event({ type: 'content_block_delta', index, delta: { type: 'citations_delta', citation: found } });
};
const blockStop = (index: number) => event({ type: 'content_block_stop', index });
const ping = event({ type: 'ping' });
const overloaded = event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
const end =
  event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 9 } }) +
  event({ type: 'message_stop' });

const all = begin + blockStart(0) + text(0, 'whole') + blockStop(0) + end;

type Asked = { idleTimeoutMs?: number; signal?: AbortSignal; fetch?: Fetch };

/** Plays an answer, and keeps what is told of it. */
async function ask(plays: Play, { idleTimeoutMs = 10_000, signal = new AbortController().signal, fetch }: Asked = {}) {
  const { port } = server.address() as AddressInfo;
  const model = createAnthropicModel(
    {
      apiKey: 'key',
      baseURL: `http://127.0.0.1:${port}`,
      model: 'm',
      maxTokens: 100,
      contextTokens: 1_000,
      idleTimeoutMs,
    } as Parameters<typeof createAnthropicModel>[0],
    fetch,
  );
  const told: string[] = [];
  play = (res) => plays(res, (said) => eventually(() => expect(told.join('')).toBe(said)));
  const cited: { quote: string; words: string; missing: number }[] = [];
  const listener: ModelListener = {
    onText: (said) => void told.push(said),
    onCitation: ({ quote, textStart, textEnd }) => {
      const so = told.join('');
      cited.push({ quote, words: so.slice(textStart, textEnd), missing: textEnd - so.length });
    },
    onUsage() {},
  };
  const request = { model: 'm', system: 's', turns: [{ role: 'user' as const, content: 'Hello' }] };
  const result = await model.stream(request, listener, signal).catch((error: unknown) => error);
  return { told, said: told.join(''), cited, result };
}

it('is the same answer however its bytes are cut into pieces', async () => {
  const whole =
    begin +
    blockStart(0) +
    text(0, 'Zwölf Mühlen 🏞') +
    ping +
    text(0, '\u0000 stehen') +
    blockStop(0) +
    blockStart(1) +
    citation(1, 0, 'am Bach') +
    text(1, ' am') +
    text(1, ' Bach 🦆') +
    blockStop(1) +
    blockStart(2) +
    text(2, '.') +
    citation(2, 1, 'Punkt') +
    blockStop(2) +
    end;
  const bytes = Buffer.from(whole);
  for (const size of [1, 7, 64, 500, bytes.length]) {
    const answer = await ask(async (res) => {
      for (let at = 0; at < bytes.length; at += size) {
        res.write(bytes.subarray(at, at + size));
        await new Promise(setImmediate);
      }
      res.end();
    });
    expect(answer, `in pieces of ${size}`).toMatchObject({
      said: 'Zwölf Mühlen 🏞 stehen am Bach 🦆.',
      cited: [
        { quote: 'am Bach', words: ' am Bach 🦆', missing: 0 },
        { quote: 'Punkt', words: '.', missing: 0 },
      ],
      result: { stopReason: 'end_turn', model: 'm' },
    });
  }
});

it('tells the first words at once, and gathers those after them', async () => {
  const words = Array.from({ length: 60 }, (_, index) => ` ${index}`);
  const answer = await ask(async (res, hears) => {
    res.write(begin + blockStart(0) + text(0, 'one'));
    await hears('one');
    for (const word of words) {
      res.write(text(0, word));
      await new Promise(setImmediate);
    }
    res.end(blockStop(0) + end);
  });
  expect(answer.said).toBe(`one${words.join('')}`);
  expect(answer.told.length).toBeLessThan(30);
});

it.each([
  ['an error', overloaded, 'overloaded_error'],
  ['an end that is none', '', 'stream_cut'],
  ['an event that cannot be read', 'event: content_block_delta\ndata: {\n\n', 'stream_malformed'],
])('what was said before %s is told', async (_what, last, code) => {
  const together: Play = (res) => void res.end(begin + blockStart(0) + text(0, 'one two') + last);
  const inPause: Play = async (res, hears) => {
    res.write(begin + blockStart(0) + text(0, 'one'));
    await hears('one');
    res.end(text(0, ' two') + last);
  };
  for (const plays of [together, inPause]) {
    const answer = await ask(plays);
    expect(answer.said).toBe('one two');
    expect(answer.result).toBeInstanceOf(ModelError);
    expect(answer.result).toMatchObject({ code, transient: true });
  }
});

it('what was said before a connection broke is told', async () => {
  const answer = await ask(async (res, hears) => {
    res.write(begin + blockStart(0) + text(0, 'one'));
    await hears('one');
    res.write(text(0, ' two'));
    await hears('one two');
    res.destroy();
  });
  expect(answer.said).toBe('one two');
  expect(answer.result).toMatchObject({ code: 'stream_cut', transient: true });
});

it.each<[string, Play]>([
  ['a connection that breaks', (res) => void res.write(all, () => res.destroy())],
  ['an error', (res) => void res.end(all + overloaded)],
  ['a connection that stays open', (res) => void res.write(all)],
])('an answer that is whole is not spoilt by %s after it', async (_what, plays) => {
  const startedAt = performance.now();
  const idleTimeoutMs = 30_000;
  expect(await ask(plays, { idleTimeoutMs })).toMatchObject({ said: 'whole', result: { stopReason: 'end_turn' } });
  expect(performance.now() - startedAt).toBeLessThan(idleTimeoutMs / 2);
  await closed;
});

it('an abort in a pause ends the request, and keeps what was said', async () => {
  const job = new AbortController();
  const reason = new Error('cancelled');
  const answer = await ask(
    async (res, hears) => {
      res.write(begin + blockStart(0) + text(0, 'one'));
      await hears('one');
      res.write(text(0, ' two'));
      job.abort(reason);
    },
    { signal: job.signal },
  );
  expect(answer.result).toBe(reason);
  expect(answer.told[0]).toBe('one');
  expect('one two'.startsWith(answer.said)).toBe(true);
  await closed;
});

it('an abort ends the answer also when fetch does not tell of it', async () => {
  const job = new AbortController();
  const reason = new Error('cancelled');
  const chunks = [begin + blockStart(0) + text(0, 'one')];
  // Asked for the second time it has been read to here, and answers no more.
  const pull = (body: ReadableStreamDefaultController): void => {
    const chunk = chunks.shift();
    if (chunk === undefined) job.abort(reason);
    else body.enqueue(new TextEncoder().encode(chunk));
  };
  const headers = { 'content-type': 'text/event-stream' };
  const body = new ReadableStream({ pull }, { highWaterMark: 0 });
  const fetch = (): Promise<Response> => Promise.resolve(new Response(body, { headers }));
  expect(await ask(() => {}, { signal: job.signal, fetch })).toMatchObject({ said: 'one', result: reason });
});

it('silence ends an answer; pings and words that come one by one do not', async () => {
  const idleTimeoutMs = 2_000;
  const beats = [ping, ping, ping, text(0, 'b'), text(0, 'b'), text(0, 'b')];
  const alive = await ask(
    async (res) => {
      res.write(begin + blockStart(0) + text(0, 'a'));
      for (const beat of beats) {
        await wait(idleTimeoutMs / 4);
        res.write(beat);
      }
      res.end(blockStop(0) + end);
    },
    { idleTimeoutMs },
  );
  expect(alive).toMatchObject({ said: 'abbb', result: { stopReason: 'end_turn' } });
  const silent = await ask((res) => void res.write(begin + blockStart(0) + text(0, 'a')), { idleTimeoutMs });
  expect(silent).toMatchObject({ said: 'a', result: { code: 'model_timeout' } });
  await closed;
});
