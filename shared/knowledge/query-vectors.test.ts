import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Embedder, EmbeddingError } from '../adapters/embedder/embedder.js';
import { createLogger } from '../logger.js';
import { createQueryEncoder, type QueryEncoder } from './query-vectors.js';

const { signal } = new AbortController();
const limits = { withinMs: 30, rememberMs: 10_000 };

let answer: (signal: AbortSignal) => Promise<Float32Array[]>;
let calls: number;
let lines: string[];
let encode: QueryEncoder;

const vector = Float32Array.of(1, 0);
const works = (): Promise<Float32Array[]> => Promise.resolve([vector]);
const fails = (code: string, transient: boolean) => (): Promise<never> =>
  Promise.reject(new EmbeddingError(code, 'Out of order.', { transient }));
const hangs = (given: AbortSignal): Promise<never> =>
  new Promise((_, reject) => given.addEventListener('abort', () => reject(given.reason as Error)));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  calls = 0;
  lines = [];
  answer = works;
  const embedder: Embedder = {
    model: 'scripted',
    size: 2,
    fusion: { by: 'ranks', k: 60 },
    embed(_texts, _kind, given) {
      calls += 1;
      return answer(given);
    },
  };
  const write = (line: string): void => {
    const { level, msg } = JSON.parse(line) as { level: number; msg: string };
    lines.push(`${level} ${msg}`);
  };
  encode = createQueryEncoder(embedder, createLogger({ level: 'info', role: 'test' }, { write }), limits);
});
afterEach(() => vi.useRealTimers());

test('a query has the halves that its mode asks for', async () => {
  expect(await encode('whales', 'hybrid', signal)).toMatchObject({ mode: 'hybrid', dense: vector, sparse: {} });
  expect(await encode('whales', 'dense', signal)).not.toHaveProperty('sparse');
  expect(await encode('whales', 'sparse', signal)).not.toHaveProperty('dense');
  expect(calls).toBe(1);
});

test.each([
  ['fails', fails('embedding_unavailable', true)],
  ['does not answer', hangs],
])('an embedder that %s leaves the words, for a while without being asked, until it is back', async (_, trouble) => {
  const known = await encode('known', 'hybrid', signal);
  answer = trouble;
  const { sparse } = await encode('whales', 'sparse', signal);
  for (let round = 1; round <= 2; round += 1) {
    expect(await encode('whales', 'hybrid', signal)).toEqual({ mode: 'sparse', sparse, fusion: known.fusion });
    expect(await encode('other', 'hybrid', signal)).toMatchObject({ mode: 'sparse' });
    expect(calls).toBe(1 + round);
    vi.advanceTimersByTime(limits.rememberMs);
  }
  // What is known already needs no service.
  expect(await encode('known', 'hybrid', signal)).toEqual(known);
  answer = works;
  expect(await encode('whales', 'hybrid', signal)).toMatchObject({ mode: 'hybrid', dense: vector });
  expect(await encode('other', 'hybrid', signal)).toMatchObject({ mode: 'hybrid' });
  expect(lines).toEqual([
    '40 queries cannot be embedded; hybrid searches go by words alone',
    '30 queries are embedded again',
  ]);
});

test.each(['embedding_unauthorized', 'embedding_size', 'embedding_refused'])(
  '%s is an error in the log, and leaves the words too',
  async (code) => {
    answer = fails(code, false);
    expect(await encode('whales', 'hybrid', signal)).toMatchObject({ mode: 'sparse' });
    expect(await encode('other', 'hybrid', signal)).toMatchObject({ mode: 'sparse' });
    expect(lines).toEqual(['50 queries cannot be embedded; hybrid searches go by words alone']);
    // It may have been about that text alone.
    answer = works;
    expect(await encode('third', 'hybrid', signal)).toMatchObject({ mode: 'hybrid' });
  },
);

test('what is to be searched by meaning alone fails', async () => {
  answer = fails('embedding_unavailable', true);
  await encode('whales', 'hybrid', signal);
  await expect(encode('whales', 'dense', signal)).rejects.toMatchObject({ code: 'embedding_unavailable' });
});

test('an abort and a mistake of ours are no outage', async () => {
  const stop = new AbortController();
  answer = hangs;
  const encoding = encode('whales', 'hybrid', stop.signal);
  stop.abort(new Error('enough'));
  await expect(encoding).rejects.toThrow('enough');
  answer = () => Promise.reject(new TypeError('not a function'));
  await expect(encode('whales', 'hybrid', signal)).rejects.toThrow(TypeError);
  expect(lines).toEqual([]);
});
