import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MessagesApi, startMessagesApi } from './server.js';

let api: MessagesApi;
let client: Anthropic;
beforeAll(async () => {
  api = await startMessagesApi({ rate: 0, contextTokens: 10_000 });
  client = new Anthropic({ apiKey: 'key', baseURL: api.url, maxRetries: 0 });
});
afterAll(() => api.stop());

const model = 'claude-sonnet-5-5';
const ask = (
  content: Anthropic.MessageParam['content'],
  rest: Partial<Anthropic.MessageCreateParamsNonStreaming> = {},
) => ({
  model,
  max_tokens: 1_000,
  messages: [{ role: 'user' as const, content }],
  ...rest,
});

/** The events as they stand on the wire: names and data. */
async function rawEvents(body: object): Promise<{ name: string; data: { type: string } & Record<string, unknown> }[]> {
  const response = await fetch(`${api.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'key', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, stream: true }),
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(response.headers.get('request-id')).toMatch(/^req_/);
  const frames = (await response.text()).split('\n\n').filter(Boolean);
  return frames.map((frame) => {
    const [, name = '', data = ''] = /^event: (\S+)\ndata: (.*)$/s.exec(frame) ?? [];
    return { name, data: JSON.parse(data) };
  });
}

describe('the order of events', () => {
  test('of a text answer', async () => {
    const events = await rawEvents(ask('[[stand-in: tokens=3]]'));
    expect(events.map((event) => event.name)).toEqual([
      ...['message_start', 'content_block_start', 'ping'],
      ...['content_block_delta', 'content_block_delta', 'content_block_delta'],
      ...['content_block_stop', 'message_delta', 'message_stop'],
    ]);
    for (const event of events) expect(event.data.type).toBe(event.name);
    expect(events.at(-2)?.data).toMatchObject({ delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } });
  });

  test('of a refusal and of an empty answer: no blocks', async () => {
    for (const word of ['refusal', 'empty']) {
      const events = await rawEvents(ask(`[[stand-in: ${word}]]`));
      expect(events.map((event) => event.name)).toEqual(['message_start', 'ping', 'message_delta', 'message_stop']);
    }
  });

  test('of a call cut off by max_tokens: the block stays open', async () => {
    const tools = [{ name: 'search', input_schema: { type: 'object', properties: { q: { type: 'string' } } } }];
    const question = `[[stand-in: tool]] ${'words '.repeat(20)}`;
    const events = await rawEvents(ask(question, { tools: tools as Anthropic.Tool[], max_tokens: 6 }));
    expect(events.map((event) => event.name).slice(-3)).toEqual([
      'content_block_delta',
      'message_delta',
      'message_stop',
    ]);
    expect(events.at(-2)?.data).toMatchObject({ delta: { stop_reason: 'max_tokens' } });
  });
});

describe('with the real client', () => {
  test('a stream and a whole answer say the same, with usage', async () => {
    const stream = client.messages.stream(ask('[[stand-in: echo]] to be or not'));
    const streamed = await stream.finalMessage();
    const whole = await client.messages.create(ask('[[stand-in: echo]] to be or not'));
    expect(whole.content).toMatchObject([{ type: 'text', text: 'to be or not' }]);
    expect(streamed.content).toMatchObject([{ type: 'text', text: 'to be or not' }]);
    expect(streamed.usage.output_tokens).toBe(4);
    expect(streamed.usage.input_tokens).toBe(whole.usage.input_tokens);
  });

  test('its own answer says what it is and what was asked', async () => {
    const answer = await client.messages.create(ask('Why is the sky blue?'));
    const [block] = answer.content;
    const text = block?.type === 'text' ? block.text : '';
    expect(text).toMatch(/^I am the stand-in for Claude/);
    expect(text).toContain('> Why is the sky blue?');
    expect(answer.usage.output_tokens).toBeGreaterThan(60);
  });

  test('max_tokens is kept', async () => {
    const answer = await client.messages.stream(ask('Tell me more', { max_tokens: 7 })).finalMessage();
    expect(answer.stop_reason).toBe('max_tokens');
    expect(answer.usage.output_tokens).toBe(7);
  });

  test('passages are cited by the block that answers', async () => {
    const passage = (source: string, ...texts: string[]): Anthropic.SearchResultBlockParam => ({
      type: 'search_result',
      source,
      title: `Title of ${source}`,
      content: texts.map((text) => ({ type: 'text', text })),
      citations: { enabled: true },
    });
    const answer = await client.messages
      .stream(
        ask([
          passage('a', 'Trains leave at noon.'),
          passage('b', 'Nothing here.', 'The mill turns at dawn. Its wheel is made of oak.'),
          { type: 'text', text: 'What is the wheel of the mill made of?' },
        ]),
      )
      .finalMessage();
    const cited = answer.content.flatMap((block) => (block.type === 'text' ? (block.citations ?? []) : []));
    expect(cited[0]).toEqual({
      type: 'search_result_location',
      cited_text: 'The mill turns at dawn. Its wheel is made of oak.',
      search_result_index: 1,
      source: 'b',
      title: 'Title of b',
      start_block_index: 1,
      end_block_index: 2,
    });
    const block = answer.content.find((each) => each.type === 'text' && each.citations?.length);
    expect(block).toMatchObject({ text: 'Its wheel is made of oak.' });
    expect(answer.content[0]).not.toHaveProperty('citations');
  });

  test('a tool is called when asked for or forced, and its result is answered', async () => {
    const tool: Anthropic.Tool = {
      name: 'search',
      input_schema: {
        type: 'object',
        properties: { query: { type: 'string' }, limit: { type: 'integer' } },
        required: ['query'],
      },
    };
    const question = ask('[[stand-in: tool]] find the mill', { tools: [tool] });
    const call = await client.messages.stream(question).finalMessage();
    expect(call.stop_reason).toBe('tool_use');
    const use = call.content.find((block) => block.type === 'tool_use');
    expect(use).toMatchObject({ name: 'search', input: { query: 'find the mill' } });

    const result = { type: 'tool_result' as const, tool_use_id: use?.id ?? '', content: 'nothing' };
    const messages = [...question.messages, { role: 'assistant' as const, content: call.content }];
    const after = await client.messages.create({
      ...question,
      messages: [...messages, { role: 'user' as const, content: [result] }],
    });
    expect(after.stop_reason).toBe('end_turn');
    await expect(
      client.messages.create({ ...question, messages: [...messages, { role: 'user', content: 'and?' }] }),
    ).rejects.toThrow(/without `tool_result` blocks/);
    const forced = await client.messages.create(
      ask('x', { tools: [tool], tool_choice: { type: 'tool', name: 'search' } }),
    );
    expect(forced.stop_reason).toBe('tool_use');
  });

  test('a marked prefix is written once and read afterwards', async () => {
    const system = [
      { type: 'text' as const, text: 'rule '.repeat(2_000), cache_control: { type: 'ephemeral' as const } },
    ];
    const first = await client.messages.create(ask('[[stand-in: empty]] one', { system }));
    const second = await client.messages.stream(ask('[[stand-in: empty]] two', { system })).finalMessage();
    expect(first.usage).toMatchObject({ cache_creation_input_tokens: 2_500, cache_read_input_tokens: 0 });
    expect(second.usage).toMatchObject({ cache_creation_input_tokens: 0, cache_read_input_tokens: 2_500 });
    expect(second.usage.input_tokens).toBeLessThan(20);
  });

  test('tokens are counted without an answer', async () => {
    const { input_tokens } = await client.messages.countTokens({
      model,
      messages: [{ role: 'user', content: 'x'.repeat(400) }],
    });
    expect(input_tokens).toBe(100);
  });
});

describe('what the API refuses', () => {
  const send = (
    body: object,
    headers: Record<string, string> = { 'x-api-key': 'key', 'anthropic-version': '2023-06-01' },
  ) => fetch(`${api.url}/v1/messages`, { method: 'POST', headers, body: JSON.stringify(body) });

  test.each([
    [{ max_tokens: 1, messages: [{ role: 'user', content: 'x' }] }, 'model: Field required'],
    [{ model, messages: [{ role: 'user', content: 'x' }] }, 'max_tokens: Field required'],
    [{ model, max_tokens: 1 }, 'messages: Field required'],
    [ask(''), 'messages.0: all messages must have non-empty content except for the optional final assistant message'],
    [ask([{ type: 'text', text: '' }]), 'messages: text content blocks must be non-empty'],
    [
      { model, max_tokens: 1, messages: [{ role: 'system', content: 'x' }] },
      "messages.0.role: Input should be 'user' or 'assistant'",
    ],
    [{ ...ask('x'), colour: 'red' }, 'colour: Extra inputs are not permitted'],
    [ask('x'.repeat(40_004)), 'prompt is too long: 10001 tokens > 10000 maximum'],
    [ask('[[stand-in: ctu]]'), 'stand-in: not understood: ctu'],
  ])('400 %#', async (body, message) => {
    const response = await send(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error', message } });
  });

  test('a request without a key', async () => {
    const response = await send(ask('x'), {});
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: { type: 'authentication_error' } });
  });
});
