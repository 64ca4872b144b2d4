import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { faultsOf, type Heard, hearReplies } from '../support/heard.js';
import { startTestSystem, type TestSystem } from '../support/system.js';
import { eventually } from '../support/eventually.js';

vi.setConfig({ testTimeout: 60_000 });

let system: TestSystem;
let heard: Heard;
beforeAll(async () => {
  system = await startTestSystem({ retryBaseMs: 20, modelApi: { rate: 200 }, env: { ANTHROPIC_IDLE_TIMEOUT: '2' } });
  heard = await hearReplies(system.redisUrl);
});
afterAll(async () => {
  heard.close();
  await system.close();
});

/** A message with a directive, its ended reply, and what it cost. */
async function ask(directive: string, words = ' one two three four') {
  const { user, conversationId } = await system.openConversation();
  const posted = await system.post(user, conversationId, { content: `[[stand-in: ${directive}]]${words}` });
  const { reply: accepted, jobId } = posted.body;
  const reply = await system.ended(user, accepted.id, 50_000);
  await eventually(() => expect(faultsOf(heard.of(reply.id))).toEqual([]));
  const usage = await usageOf(reply.id);
  const job = async () => (await system.app.request('GET', `/jobs/${jobId}`, { token: user.accessToken })).body;
  return { user, reply, job, jobId: jobId as string, usage };
}

async function usageOf(messageId: string) {
  const { rows } = await system.app.ctx.database.query<{ attempt: number; input: number; output: number }>(
    'SELECT attempt, input_tokens AS input, output_tokens AS output FROM usage WHERE message_id = $1 ORDER BY attempt',
    [messageId],
  );
  return rows;
}

describe.concurrent('what may go better the next time is tried again, and shown once', () => {
  it.for([
    ['too many requests', 'echo rate-limit retry-after=0 times=1', 2],
    ['overloaded', 'echo overloaded times=2', 3],
    ['overloaded before the first token of a stream', 'echo overloaded-in-stream after=0 times=1', 2],
    ['overloaded in mid-stream', 'echo overloaded-in-stream after=2 times=2', 3],
    ['an internal error', 'echo api-error times=1', 2],
    ['an internal error in mid-stream', 'echo error-in-stream after=3 times=1', 2],
    ['a connection that breaks', 'echo cut after=2 times=1', 2],
    ['a connection that breaks before the answer', 'echo cut after=0 times=1', 2],
    ['a connection that breaks after the last word', 'echo cut after=4 times=1', 2],
    ['silence', 'echo hang after=2 times=1', 2],
    ['silence from the start', 'echo hang after=0 times=1', 2],
    ['an event that cannot be read', 'echo malformed after=2 times=1', 2],
  ] as const)('%s', async ([, directive, attempts]) => {
    const { reply, job } = await ask(directive);
    expect(reply).toMatchObject({ state: 'done', content: 'one two three four', attempt: attempts, error: null });
    const ended = { state: 'done', attempt: attempts, error: null };
    await eventually(async () => expect(await job()).toMatchObject(ended));
  });

  it('not before the service wants to be asked again', async () => {
    const { user, conversationId } = await system.openConversation();
    const posted = await system.post(user, conversationId, {
      content: '[[stand-in: echo rate-limit retry-after=3 times=1]] one',
    });
    const job = async () =>
      (await system.app.request('GET', `/jobs/${posted.body.jobId}`, { token: user.accessToken })).body;
    const waiting = {
      state: 'pending',
      error: { code: 'rate_limit_error', message: expect.stringMatching(/too many requests/) },
    };
    await eventually(async () => expect(await job()).toMatchObject(waiting));
    const { createdAt, runAt } = await job();
    expect(Date.parse(runAt) - Date.parse(createdAt)).toBeGreaterThan(2_900);
    const reply = await system.ended(user, posted.body.reply.id);
    expect(reply).toMatchObject({ state: 'done', content: 'one', attempt: 2 });
    await eventually(async () => expect(await job()).toMatchObject({ state: 'done' }));
    expect(Date.parse((await job()).finishedAt) - Date.parse(createdAt)).toBeGreaterThan(2_900);
  });

  it('every attempt that was answered is accounted for', async () => {
    const { usage } = await ask('echo overloaded-in-stream after=2 times=2 id=usage');
    expect(usage.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(usage.every(({ input }) => input > 0)).toBe(true);
    expect(usage[2]?.output).toBe(4);
  });
});

describe.concurrent('what will not go better ends at once, and says why', () => {
  it.for([
    [
      'a request at fault',
      'error status=400 message="messages: too strange"',
      'invalid_request_error',
      /messages: too strange/,
    ],
    ['a wrong key', 'error status=401 type=authentication_error', 'authentication_error', /ANTHROPIC_API_KEY/],
    ['no money', 'error status=402 type=billing_error', 'billing_error', /billing/],
    ['a forbidden model', 'error status=403 type=permission_error', 'permission_error', /may not use this model/],
    ['an unknown model', 'error status=404 type=not_found_error', 'not_found_error', /does not know the model/],
    ['a request too large', 'error status=413 type=request_too_large', 'request_too_large', /too large/],
    ['a refusal', 'refusal', 'refused', /declined/],
    ['an empty answer', 'empty', 'empty_reply', /without a word/],
  ] as const)('%s', async ([, directive, code, message]) => {
    const { reply, job } = await ask(directive);
    const error = { code, message: expect.stringMatching(message) };
    expect(reply).toMatchObject({ state: 'failed', content: '', attempt: 1, error });
    await eventually(async () => expect(await job()).toMatchObject({ state: 'failed', attempt: 1, error }));
  });
});

describe.concurrent('what is slow or cut short is no failure', () => {
  it('a first byte that comes late', async () => {
    const { reply } = await ask('echo slow ms=300');
    expect(reply).toMatchObject({ state: 'done', content: 'one two three four', attempt: 1 });
  });

  it('words that come slowly', async () => {
    const { reply } = await ask('echo rate=4');
    expect(reply).toMatchObject({ state: 'done', content: 'one two three four', attempt: 1 });
  });

  it('an answer that reaches the limit says so', async () => {
    const { reply, usage } = await ask('max-tokens after=3');
    expect(reply).toMatchObject({ state: 'done', content: 't1 t2 t3', metadata: { stopReason: 'max_tokens' } });
    expect(usage).toEqual([{ attempt: 1, input: expect.any(Number), output: 3 }]);
  });
});

describe.concurrent('what fails for ever ends after six tries', () => {
  it.for([
    ['overloaded', 'overloaded', 'overloaded_error', /overloaded/],
    ['too many requests', 'rate-limit retry-after=0', 'rate_limit_error', /too many requests/],
    ['silence', 'echo hang after=1', 'model_timeout', /sent nothing for 2 seconds/],
    ['a connection that breaks', 'echo cut after=1', 'stream_cut', /broke in the middle/],
    ['an event that cannot be read', 'echo malformed after=1', 'stream_malformed', /could not be read/],
  ] as const)('%s', async ([, directive, code, message]) => {
    const { reply, job } = await ask(directive);
    const error = { code, message: expect.stringMatching(message) };
    expect(reply).toMatchObject({ state: 'failed', attempt: 6, error });
    await eventually(async () => expect(await job()).toMatchObject({ state: 'failed', attempt: 6, error }));
  });

  it('keeps what the last attempt said, and can be tried again', async () => {
    const { user, reply, job, jobId } = await ask('echo overloaded-in-stream after=2 times=6 id=retry');
    expect(reply).toMatchObject({ state: 'failed', content: 'one two', error: { code: 'overloaded_error' } });
    expect((await usageOf(reply.id)).map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
    const before = heard.of(reply.id).length;

    const retried = await system.app.request('POST', `/jobs/${jobId}/retry`, { token: user.accessToken });
    expect(retried.status).toBe(202);
    const again = await system.ended(user, reply.id);
    expect(again).toMatchObject({ state: 'done', content: 'one two three four', attempt: 7, error: null });
    await eventually(async () => expect(await job()).toMatchObject({ state: 'done', error: null }));
    await eventually(() => expect(faultsOf(heard.of(reply.id).slice(before))).toEqual([]));
    const twice = await system.app.request('POST', `/jobs/${jobId}/retry`, { token: user.accessToken });
    expect([twice.status, twice.body.code]).toEqual([409, 'conflict']);
  });

  it('an account whose replies fail does not keep others waiting', async () => {
    const { user, conversationId } = await system.openConversation();
    const { body } = await system.post(user, conversationId, { content: '[[stand-in: rate-limit retry-after=120]]' });
    const failing = async () =>
      (await system.app.request('GET', `/jobs/${body.jobId}`, { token: user.accessToken })).body;
    await eventually(async () => expect(await failing()).toMatchObject({ state: 'pending', attempt: 1 }));
    const { reply } = await ask('echo id=other');
    expect(reply).toMatchObject({ state: 'done', attempt: 1 });
    expect(await failing()).toMatchObject({ state: 'pending', attempt: 1 });
  });
});
