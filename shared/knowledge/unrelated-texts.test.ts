import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Embedder, EmbeddingError } from '../adapters/embedder/embedder.js';
import { createLogger } from '../logger.js';
import { createUnrelatedTexts } from './unrelated-texts.js';

const { signal } = new AbortController();
const logger = createLogger({ level: 'silent', role: 'test' });
const vectors = [Float32Array.of(1, 0), Float32Array.of(0, 1)];

let calls: number;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  calls = 0;
});
afterEach(() => vi.useRealTimers());

function embedderThat(embed: () => Promise<Float32Array[]>): Embedder {
  const counted = (): Promise<Float32Array[]> => {
    calls += 1;
    return embed();
  };
  return { model: 'scripted', size: 2, fusion: { by: 'ranks', k: 60 }, embed: counted };
}

test('a model too slow for the first who asks is waited for by the next', async () => {
  let answer = (_: Float32Array[]): void => {};
  const made = new Promise<Float32Array[]>((resolve) => (answer = resolve));
  const unrelated = createUnrelatedTexts(
    embedderThat(() => made),
    logger,
  );
  expect(await unrelated(signal)).toBeNull();
  answer(vectors);
  expect(await unrelated(signal)).toBe(vectors);
  expect(calls).toBe(1);
});

test('after a failure nobody asks for a while', async () => {
  let away = true;
  const embedder = embedderThat(async () => {
    if (away) throw new EmbeddingError('embedding_unavailable', 'Out of order.', { transient: true });
    return vectors;
  });
  const unrelated = createUnrelatedTexts(embedder, logger);
  expect(await unrelated(signal)).toBeNull();
  expect(await unrelated(signal)).toBeNull();
  expect(calls).toBe(1);
  away = false;
  vi.advanceTimersByTime(10_000);
  expect(await unrelated(signal)).toBe(vectors);
});

test('one who is told to stop does not wait', async () => {
  const stop = new AbortController();
  const unrelated = createUnrelatedTexts(
    embedderThat(() => new Promise(() => {})),
    logger,
  );
  const asked = unrelated(stop.signal);
  stop.abort(new Error('enough'));
  await expect(asked).rejects.toThrow('enough');
});
