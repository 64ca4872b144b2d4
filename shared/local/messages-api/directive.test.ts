import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDirective, withoutDirectives } from './directive.js';
import { textPlan } from './plan.js';
import { type MessagesApi, startMessagesApi } from './server.js';

describe('the grammar', () => {
  test('reads words, settings and what follows', () => {
    expect(parseDirective('hi [[stand-in: cut after=3 echo message="a b" rate=5]] and so on')).toEqual({
      source: '[[stand-in: cut after=3 echo message="a b" rate=5]]',
      answer: 'echo',
      failure: 'cut',
      settings: { after: '3', message: 'a b', rate: '5' },
      rest: 'and so on',
      unknown: [],
    });
  });

  test('names what it does not know', () => {
    expect(parseDirective('[[stand-in: cut hang after=x nonsense]]')?.unknown).toEqual(['hang', 'after=x', 'nonsense']);
    expect(parseDirective('no directive')).toBeUndefined();
    expect(withoutDirectives('a [[stand-in: cut]] b')).toBe('a  b');
  });
});

describe('failures, as the real client sees them', () => {
  let api: MessagesApi;
  let client: Anthropic;
  beforeAll(async () => {
    api = await startMessagesApi({
      rate: 0,
      script: ({ body }) => (body.model === 'scripted' ? textPlan('scripted') : undefined),
    });
    client = new Anthropic({ apiKey: 'key', baseURL: api.url, maxRetries: 0 });
  });
  afterAll(() => api.stop());

  const body = (content: string, model = 'claude-sonnet-5-5') => ({
    model,
    max_tokens: 1_000,
    messages: [{ role: 'user' as const, content }],
  });

  /** The text that arrived, whether the message ended, and the error if there was one. */
  async function read(content: string, signal?: AbortSignal) {
    const seen = { text: '', ended: false, error: undefined as unknown };
    try {
      for await (const event of await client.messages.create({ ...body(content), stream: true }, { signal })) {
        if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') seen.text += event.delta.text;
        if (event.type === 'message_stop') seen.ended = true;
      }
    } catch (error) {
      seen.error = error;
    }
    return seen;
  }

  test.each([
    ['rate-limit retry-after=7', 429, 'rate_limit_error', '7'],
    ['overloaded', 529, 'overloaded_error', null],
    ['api-error', 500, 'api_error', null],
    ['error status=403 type=permission_error message="Not you"', 403, 'permission_error', null],
  ])('%s', async (words, status, type, retryAfter) => {
    const { error } = await read(`[[stand-in: ${words}]]`);
    expect(error).toMatchObject({ status, type });
    expect((error as InstanceType<typeof Anthropic.APIError>).headers?.get('retry-after')).toBe(retryAfter);
  });

  test('times=2 fails twice', async () => {
    const words = '[[stand-in: overloaded times=2 tokens=1]]';
    const statuses = [];
    for (let attempt = 0; attempt < 3; attempt += 1) statuses.push((await read(words)).ended);
    expect(statuses).toEqual([false, false, true]);
  });

  test('an error inside a stream comes after exactly that many tokens', async () => {
    const late = await read('[[stand-in: overloaded-in-stream after=2 tokens=9]]');
    expect(late).toMatchObject({ text: 't1 t2', ended: false, error: { type: 'overloaded_error' } });
    const first = await read('[[stand-in: overloaded-in-stream after=0]]');
    expect(first).toMatchObject({ text: '', ended: false, error: { type: 'overloaded_error', status: undefined } });
  });

  test('a cut ends without message_stop', async () => {
    expect(await read('[[stand-in: cut after=3 tokens=9]]')).toMatchObject({ text: 't1 t2 t3', ended: false });
    expect(await read('[[stand-in: cut after=0 tokens=9]]')).toMatchObject({ text: '', ended: false });
  });

  test('malformed data is an error', async () => {
    expect(await read('[[stand-in: malformed after=1 tokens=9]]')).toMatchObject({
      text: 't1',
      ended: false,
      error: {},
    });
  });

  test('a hanging stream stays open until the client leaves, and is counted', async () => {
    const controller = new AbortController();
    const before = api.counts.open;
    const hanging = read('[[stand-in: hang after=2 tokens=9]]', controller.signal);
    await expect.poll(() => api.counts.open).toBe(before + 1);
    controller.abort();
    expect((await hanging).ended).toBe(false);
    await expect.poll(() => api.counts.open).toBe(before);
  });

  test('timestamps are the times of sending, at the asked rate', async () => {
    const startedAt = Date.now();
    const { text } = await read('[[stand-in: timestamps tokens=20 rate=200]]');
    const times = text.trim().split(' ').map(Number);
    expect(times).toHaveLength(20);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    // The last of twenty is due after a tenth of a second, however busy the machine is.
    expect(times.at(-1)).toBeGreaterThan(startedAt + 95);
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now() + 5);
  });

  test('a late answer is late', async () => {
    const startedAt = performance.now();
    await read('[[stand-in: slow ms=80 tokens=1]]');
    expect(performance.now() - startedAt).toBeGreaterThan(75);
  });

  test('a script decides before the rules do; a gate holds a stream until it is opened', async () => {
    const scripted = await client.messages.create(body('[[stand-in: overloaded]]', 'scripted'));
    expect(scripted.content).toMatchObject([{ text: 'scripted' }]);

    let open = (): void => {};
    const until = new Promise<void>((resolve) => (open = resolve));
    const gated = await startMessagesApi({
      script: () => textPlan('one two three', { rate: 0, gate: { after: 1, until } }),
    });
    const stream = new Anthropic({ apiKey: 'key', baseURL: gated.url }).messages.stream(body('x'));
    let text = '';
    stream.on('text', (delta) => (text += delta));
    await expect.poll(() => text).toBe('one');
    open();
    expect(await stream.finalText()).toBe('one two three');
    await gated.stop();
  });
});
