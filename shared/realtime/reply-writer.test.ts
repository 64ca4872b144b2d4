import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLogger } from '../logger.js';
import type { ReplyFrame } from './reply-frames.js';
import type { Appended } from './reply-log.js';
import { createReplyWriter } from './reply-writer.js';

// No more than it uses: what other files left in this process goes on by itself.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A writer into a log that keeps every frame and answers when it is told to. */
function startWriter() {
  const job = new AbortController();
  const frames: ReplyFrame[] = [];
  const answers: ((appended: Appended) => void)[] = [];
  const writer = createReplyWriter({
    log: {
      append: (_address, frame) => {
        frames.push(frame);
        return new Promise((resolve) => answers.push(resolve));
      },
    },
    address: { messageId: 'reply', conversationId: 'conversation', messageSeq: 2 },
    attempt: 1,
    guard: async () => {},
    signal: job.signal,
    onLost: () => {},
    logger: createLogger({ level: 'silent', role: 'test' }),
  });
  return { writer, job, frames, answer: () => answers.shift()?.('appended') };
}

const told = (frames: ReplyFrame[]) => frames.map((frame) => (frame.type === 'delta' ? frame.text : frame.type));

it('a job that is told to stop does not wait for a log that does not answer', async () => {
  const { writer, job, frames } = startWriter();
  writer.push('said');
  job.abort();
  const ended = vi.fn<() => void>();
  void writer
    .drain()
    .then(() => writer.stop())
    .then(ended);
  await vi.advanceTimersByTimeAsync(500);
  expect(ended).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told(frames)).toEqual(['started']);
});

it('a job that is told to stop still writes down what was said, when the log answers', async () => {
  const { writer, job, frames, answer } = startWriter();
  writer.push('one');
  answer();
  await vi.advanceTimersByTimeAsync(0);
  writer.push(' two');
  job.abort();
  writer.push(' three');
  const drained = vi.fn<() => void>();
  void writer.drain().then(drained);
  for (let frame = 0; frame < 2; frame += 1) {
    await vi.advanceTimersByTimeAsync(100);
    expect(drained).not.toHaveBeenCalled();
    answer();
  }
  await vi.advanceTimersByTimeAsync(0);
  expect(drained).toHaveBeenCalledOnce();
  expect(told(frames)).toEqual(['started', 'one', ' two three']);
  expect(writer.nextSeq()).toBe(3);
});

it('what is pushed while an append is under way goes out after it, in one frame', async () => {
  const { writer, frames, answer } = startWriter();
  for (const text of ['one', ' two', ' three']) writer.push(text);
  answer();
  await vi.advanceTimersByTimeAsync(0);
  for (const text of [' four', ' five']) writer.push(text);
  expect(told(frames)).toEqual(['started', 'one two three']);
  answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(told(frames)).toEqual(['started', 'one two three', ' four five']);
});
