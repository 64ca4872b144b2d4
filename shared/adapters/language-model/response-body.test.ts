import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPauses, inPortions, wrapBody } from './response-body.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

test('pauses end together, at the last of their steps', async () => {
  const pause = createPauses(10, 3);
  const ended: string[] = [];
  const begin = (name: string): void => void pause().then(() => ended.push(name));
  begin('first');
  await vi.advanceTimersByTimeAsync(5);
  begin('with it');
  await vi.advanceTimersByTimeAsync(10);
  begin('a step later');
  await vi.advanceTimersByTimeAsync(14);
  expect(ended).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(ended).toEqual(['first', 'with it']);
  await vi.advanceTimersByTimeAsync(10);
  expect(ended).toEqual(['first', 'with it', 'a step later']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a pause after a silence is as long as the first', async () => {
  const pause = createPauses(10, 2);
  for (let round = 0; round < 2; round += 1) {
    const ended = vi.fn<() => void>();
    void pause().then(ended);
    await vi.advanceTimersByTimeAsync(19);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toHaveBeenCalledOnce();
  }
});

test('a body is read on only after what comes between', async () => {
  const response = new Response('one two');
  const between = vi.fn<() => Promise<void>>().mockResolvedValue(undefined);
  wrapBody(response, (chunks) => inPortions(chunks, between));
  const read: string[] = [];
  for await (const chunk of response.body ?? []) {
    read.push(new TextDecoder().decode(chunk));
    expect(between).not.toHaveBeenCalled();
  }
  expect(read).toEqual(['one two']);
  expect(between).toHaveBeenCalledOnce();
});
