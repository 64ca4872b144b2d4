import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { countTokens } from '../../shared/local/messages-api/usage.js';
import type { MessagesRequest } from '../../shared/local/messages-api/wire.js';
import { startTestSystem, type TestSystem } from '../support/system.js';
import type { TestUser } from '../support/app.js';

vi.setConfig({ testTimeout: 60_000 });

const contextTokens = 6_000;
const maxTokens = 1_000;

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem({
    // The stand-in refuses what is longer, as the API does.
    modelApi: { rate: 0, contextTokens: contextTokens - maxTokens, minimumCacheTokens: 20 },
    env: { ANTHROPIC_CONTEXT_TOKENS: String(contextTokens), ANTHROPIC_MAX_TOKENS: String(maxTokens) },
  });
});
afterAll(() => system.close());

/** About so many tokens of English, of words that tell who they are of. */
const words = (name: string, tokens: number): string =>
  Array.from({ length: Math.ceil((tokens * 4) / (name.length + 1)) }, () => name).join(' ');

async function ask(user: TestUser, conversationId: string, content: string) {
  const { body } = await system.post(user, conversationId, { content });
  const reply = await system.ended(user, body.reply.id);
  return { reply, request: system.modelApi.requests.at(-1)?.body as MessagesRequest };
}

async function usageOf(messageId: string) {
  const { rows } = await system.app.ctx.database.query<{ input: number; read: number; written: number }>(
    `SELECT input_tokens AS input, cache_read_tokens AS read, cache_write_tokens AS written FROM usage WHERE message_id = $1`,
    [messageId],
  );
  return rows[0] ?? { input: 0, read: 0, written: 0 };
}

const unmarked = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, part: unknown) => (key === 'cache_control' ? undefined : part)));

describe('the prefix of a conversation', () => {
  it('is marked for the cache, repeated word for word, and read from there', async () => {
    const { user, conversationId } = await system.openConversation({
      title: 'Cached',
      systemPrompt: words('carefully', 50),
    });
    const asked = [];
    for (let n = 1; n <= 4; n += 1)
      asked.push(await ask(user, conversationId, `${words(`question${n}`, 60)} [[stand-in: echo]] answer ${n}`));
    for (const [index, { request, reply }] of asked.entries()) {
      const { system: instructions, messages } = request;
      expect(JSON.stringify(instructions)).toContain('"cache_control":{"type":"ephemeral"}');
      expect(JSON.stringify(messages.at(-1))).toContain('"cache_control":{"type":"ephemeral"}');
      const before = asked[index - 1];
      if (!before) continue;
      expect(unmarked(instructions)).toEqual(unmarked(before.request.system));
      expect(unmarked(messages.slice(0, before.request.messages.length))).toEqual(unmarked(before.request.messages));
      const { input, read, written } = await usageOf(reply.id);
      const earlier = await usageOf(before.reply.id);
      expect(read).toBe(earlier.read + earlier.written);
      expect(input + read + written).toBe(countTokens(request));
    }
  });
});

describe('a history that is longer than the model takes', () => {
  it('loses its oldest turns, says so, and keeps a prefix that the cache knows', async () => {
    const { user, conversationId } = await system.openConversation();
    let cached = 0;
    for (let n = 1; n <= 40; n += 1) {
      const { reply, request } = await ask(
        user,
        conversationId,
        `${words(`question${n}`, 150)} [[stand-in: echo]] ${words(`answer${n}`, 50)}`,
      );
      expect(reply).toMatchObject({ state: 'done', attempt: 1 });
      expect(countTokens(request)).toBeLessThanOrEqual(contextTokens - maxTokens);
      const shown = JSON.stringify(request.messages);
      const omitted = (reply.metadata?.omittedMessages as number | undefined) ?? 0;
      expect(omitted + request.messages.length).toBe(2 * n - 1);
      expect(request.messages[0]?.role).toBe('user');
      expect(shown).toContain(`question${n} `);
      if (n > 10) expect(shown).toContain(`question${n - 10} `);
      if (n > 25) expect(omitted).toBeGreaterThan(0);
      if (n > 25) {
        const { read, input, written } = await usageOf(reply.id);
        if (read > (input + read + written) / 2) cached += 1;
      }
    }
    // The cut moves in steps, not with every reply: most of them find what the one before has left in the cache.
    expect(cached).toBeGreaterThanOrEqual(10);
  });

  it('is no failure when the characters are of more bytes than tokens', async () => {
    const { user, conversationId } = await system.openConversation();
    for (let n = 1; n <= 4; n += 1) {
      const { reply } = await ask(
        user,
        conversationId,
        `${'千里之行始於足下。'.repeat(400)} [[stand-in: echo]] 好${n}`,
      );
      expect(reply).toMatchObject({ state: 'done', content: `好${n}` });
    }
  });

  it('of one message alone ends with an error that says so', async () => {
    const { user, conversationId } = await system.openConversation();
    const { reply } = await ask(user, conversationId, words('long', 7_000));
    expect(reply).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: { code: 'prompt_too_long', message: expect.stringMatching(/\d{4} tokens/) },
    });
    const next = await ask(user, conversationId, '[[stand-in: echo]] short');
    expect(next.reply).toMatchObject({ state: 'done', content: 'short' });
  });
});
