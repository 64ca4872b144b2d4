import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEmbeddingsApi, type EmbeddingsApiSettings } from './openai-compatible.js';

type Request = {
  path: string;
  headers: IncomingHttpHeaders;
  body: { model: string; input: string[] } & Record<string, unknown>;
};
type Answer = { status?: number; headers?: Record<string, string>; body?: unknown; hang?: boolean };

let server: Server;
let url = '';
let requests: Request[] = [];
let open = 0;
let mostOpen = 0;
/** Requests wait for one another until so many are open at once. */
let together = 1;
let waiting: (() => void)[] = [];
let answer: (request: Request, n: number) => Answer | undefined = () => undefined;
const { signal } = new AbortController();

/** One number per text, so that it can be told which vector is whose. */
const vectorOf = (text: string): number[] => [text.length, 1, 0, 0];

beforeEach(async () => {
  requests = [];
  open = 0;
  mostOpen = 0;
  together = 1;
  waiting = [];
  answer = () => undefined;
  const own = createServer((message, response) => {
    const parts: Buffer[] = [];
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    // One that hung in the test before closes while this one runs.
    response.once('close', () => {
      if (own === server) open -= 1;
    });
    message.on('data', (part: Buffer) => parts.push(part));
    message.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString()) as Request['body'];
      const request = { path: message.url ?? '', headers: message.headers, body };
      requests.push(request);
      const scripted = answer(request, requests.length);
      if (scripted?.hang) return;
      const data = body.input.map((text, index) => ({ index, embedding: vectorOf(text) })).reverse();
      response.writeHead(scripted?.status ?? 200, { 'content-type': 'application/json', ...scripted?.headers });
      waiting.push(() => response.end(JSON.stringify(scripted?.body ?? { data })));
      if (open < together) return;
      together = 1;
      for (const send of waiting.splice(0)) setImmediate(send);
    });
  }).listen(0, '127.0.0.1');
  server = own;
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function api(settings: Partial<EmbeddingsApiSettings> = {}) {
  return createEmbeddingsApi({
    url,
    apiKey: 'a key',
    model: 'some-model',
    size: 4,
    weight: 0.7,
    concurrency: 3,
    requestsPerMinute: 0,
    firstRetryMs: 1,
    ...settings,
  });
}

describe('requests', () => {
  test('many texts go in batches, so many at a time, and come back in order', async () => {
    together = 3;
    const texts = Array.from({ length: 200 }, (_, n) => 'x'.repeat(n + 1));
    const vectors = await api().embed(texts, 'passage', signal);
    vectors.forEach((vector, n) => expect((vector[0] as number) / (vector[1] as number)).toBeCloseTo(n + 1, 2));
    expect(vectors.map((vector) => Math.hypot(...vector))).toEqual(texts.map(() => expect.closeTo(1, 5)));
    const sizes = requests.map(({ body }) => body.input.length);
    expect(sizes.sort((a, b) => b - a)).toEqual([32, 32, 32, 32, 32, 32, 8]);
    expect(mostOpen).toBe(3);
    expect(requests[0]?.headers.authorization).toBe('Bearer a key');
  });

  test('long texts go in smaller batches', async () => {
    await api().embed(
      Array.from({ length: 4 }, () => 'word '.repeat(10_000)),
      'passage',
      signal,
    );
    expect(requests.map(({ body }) => body.input.length)).toEqual([2, 2]);
  });

  test.each(['', '/', '/v1', '/v1/', '/v1/embeddings'])('an address that ends with "%s" is understood', async (end) => {
    await api({ url: `${url}${end}` }).embed(['a'], 'query', signal);
    expect(requests[0]?.path).toBe('/v1/embeddings');
  });

  test('models get what they want before a text, and OpenAI the size', async () => {
    await api({ model: 'intfloat/multilingual-e5-small' }).embed(['a'], 'query', signal);
    await api({ model: 'nomic-embed-text' }).embed(['a'], 'passage', signal);
    await api({ model: 'text-embedding-3-small' }).embed(['a'], 'passage', signal);
    await api({ model: 'voyage-3.5' }).embed(['a'], 'query', signal);
    expect(requests.map(({ body }) => body.input[0])).toEqual(['query: a', 'search_document: a', 'a', 'a']);
    expect(requests[2]?.body).toMatchObject({ dimensions: 4, encoding_format: 'base64' });
    expect(requests[3]?.body).toMatchObject({ input_type: 'query' });
  });

  test('vectors in base64 are read', async () => {
    const embedding = Buffer.from(new Float32Array([3, 4, 0, 0]).buffer).toString('base64');
    answer = () => ({ body: { data: [{ index: 0, embedding }] } });
    expect(await api().embed(['a'], 'query', signal)).toEqual([new Float32Array([0.6, 0.8, 0, 0])]);
  });

  test('vectors without an index are in the order of the texts', async () => {
    answer = ({ body }) => ({ body: { data: body.input.map((text) => ({ embedding: vectorOf(text) })) } });
    const vectors = await api().embed(['x', 'xxx'], 'passage', signal);
    expect(vectors.map(([one = 0, other = 1]) => Math.round(one / other))).toEqual([1, 3]);
  });
});

describe('more than a service takes', () => {
  const tooMany = {
    status: 413,
    body: { error: 'batch size 32 > maximum allowed batch size 8', error_type: 'Validation' },
  };

  test('texts that are too many go in smaller requests', async () => {
    answer = ({ body }) => (body.input.length > 8 ? tooMany : undefined);
    const texts = Array.from({ length: 32 }, (_, n) => 'x'.repeat(n + 1));
    const vectors = await api().embed(texts, 'passage', signal);
    vectors.forEach((vector, n) => expect((vector[0] as number) / (vector[1] as number)).toBeCloseTo(n + 1, 2));
    expect(requests.map(({ body }) => body.input.length)).toEqual([32, 16, 8, 8, 16, 8, 8]);
  });

  test.each([
    [413, { error: 'Input validation error: `inputs` must have less than 512 tokens. Given: 901' }],
    [422, { message: '`inputs` must have less than 512 tokens. Given: 901', type: 'Validation' }],
    [400, { error: { message: "This model's maximum context length is 512 tokens. However, you requested 901" } }],
    [400, { error: { message: 'the input length exceeds the context length' } }],
    [500, { error: { message: 'input is too large to process. increase the physical batch size' } }],
  ])('a text that is too long (%d %j) is cut, and the others are not', async (status, body) => {
    const isLong = (text: string): boolean => text.length > 800;
    answer = (request) => (request.body.input.some(isLong) ? { status, body } : undefined);
    const texts = ['x', 'y'.repeat(2_000), 'z'.repeat(700)];
    const vectors = await api({ model: 'nomic-embed-text' }).embed(texts, 'passage', signal);
    expect(vectors).toHaveLength(3);
    const taken = requests
      .filter((request) => !request.body.input.some(isLong))
      .flatMap((request) => request.body.input);
    expect(taken.map((text) => text.replace('search_document: ', '')).sort()).toEqual([
      'x',
      expect.stringMatching(/^y{400,}$/),
      texts[2],
    ]);
  });

  test('a refusal that no shorter text helps is permanent', async () => {
    answer = () => ({ status: 413 });
    await expect(api().embed(['x'.repeat(2_000)], 'passage', signal)).rejects.toMatchObject({
      code: 'embedding_too_large',
      transient: false,
    });
    expect(requests.length).toBeLessThan(12);
  });

  test('texts that take too long together go in smaller requests', async () => {
    answer = ({ body }) => (body.input.length > 4 ? { hang: true } : undefined);
    const texts = Array.from({ length: 8 }, (_, n) => 'x'.repeat(n + 1));
    expect(await api({ timeoutMs: 2_000 }).embed(texts, 'passage', signal)).toHaveLength(8);
    expect(requests.map(({ body }) => body.input.length)).toEqual([8, 4, 4]);
  });
});

describe('failures', () => {
  test('429 and 500 are tried again, Retry-After is obeyed', async () => {
    answer = (_request, n) => [{ status: 429, headers: { 'retry-after': '0' } }, { status: 500 }][n - 1];
    expect(await api().embed(['a'], 'query', signal)).toHaveLength(1);
    expect(requests).toHaveLength(3);
  });

  test('one that asks for a long pause is left to the job, with the time', async () => {
    answer = () => ({ status: 429, headers: { 'retry-after': '60' } });
    const failed = api().embed(['a'], 'query', signal);
    await expect(failed).rejects.toMatchObject({
      code: 'embedding_rate_limited',
      transient: true,
      retryAfterMs: 60_000,
    });
    expect(requests).toHaveLength(1);
  });

  test('after a few tries it is a transient failure', async () => {
    answer = () => ({ status: 503 });
    await expect(api().embed(['a'], 'query', signal)).rejects.toMatchObject({
      code: 'embedding_unavailable',
      transient: true,
    });
    expect(requests).toHaveLength(4);
  });

  test.each([
    [{ status: 401 }, 'embedding_unauthorized'],
    [{ status: 400, body: { error: { message: 'no such language' } } }, 'embedding_refused'],
    [{ status: 429, body: { error: { code: 'insufficient_quota' } } }, 'embedding_unpaid'],
    [{ body: 'hello' }, 'embedding_malformed'],
    [{ body: { data: [{ index: 0, embedding: [1, 2] }] } }, 'embedding_size'],
    [{ body: { data: [{ index: 0, embedding: [0, 0, 0, 0] }] } }, 'embedding_malformed'],
    [{ body: { data: [{ index: 5, embedding: [1, 2, 3, 4] }] } }, 'embedding_malformed'],
  ])('%j is permanent: %s', async (scripted, code) => {
    answer = () => scripted;
    await expect(api().embed(['a'], 'query', signal)).rejects.toMatchObject({ code, transient: false });
    expect(requests).toHaveLength(1);
  });

  test('a service that is not there, or hangs, is transient', async () => {
    await expect(api({ url: 'http://127.0.0.1:9' }).embed(['a'], 'query', signal)).rejects.toMatchObject({
      code: 'embedding_unavailable',
      transient: true,
    });
    answer = () => ({ hang: true });
    await expect(api({ timeoutMs: 20 }).embed(['a'], 'query', signal)).rejects.toMatchObject({
      code: 'embedding_timeout',
      transient: true,
    });
  });

  test('whose time is up between two tries is told what was wrong', async () => {
    answer = () => ({ status: 503 });
    const failed = api({ firstRetryMs: 5_000 }).embed(['a'], 'query', AbortSignal.timeout(1_500));
    await expect(failed).rejects.toMatchObject({ code: 'embedding_unavailable', transient: true });
  });

  test('an abort ends it at once, with its reason', async () => {
    const stop = new AbortController();
    answer = () => {
      stop.abort(new Error('enough'));
      return { hang: true };
    };
    await expect(api().embed(['a'], 'query', stop.signal)).rejects.toThrow('enough');
  });
});
