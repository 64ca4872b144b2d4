import { expect, test } from 'vitest';
import { createFeatureHashingEmbedder } from './feature-hashing.js';

const embedder = createFeatureHashingEmbedder(512);
const { signal } = new AbortController();

async function similarity(one: string, other: string): Promise<number> {
  const [a, b] = await embedder.embed([one, other], 'passage', signal);
  return (a as Float32Array).reduce((sum, value, index) => sum + value * ((b as Float32Array)[index] ?? 0), 0);
}

test('vectors have length 1 and the size that was asked for; a text without words is zeros', async () => {
  const [vector, none] = await embedder.embed(['heat transfer in wings', ' … '], 'query', signal);
  expect(vector).toHaveLength(512);
  expect(Math.hypot(...(vector as Float32Array))).toBeCloseTo(1, 5);
  expect(none).toEqual(new Float32Array(512));
});

test('the same text has the same vector whatever was embedded before', async () => {
  const other = createFeatureHashingEmbedder(512);
  await other.embed(['entirely different words, many of them'], 'passage', signal);
  expect(await other.embed(['heat transfer'], 'query', signal)).toEqual(
    await embedder.embed(['heat transfer'], 'query', signal),
  );
});

test('forms, compounds and misspellings of words are similar, other words are not', async () => {
  expect(await similarity('aerodynamic heating', 'aerodynamics and heated surfaces')).toBeGreaterThan(0.4);
  expect(await similarity('photovoltaics', 'photovoltaik')).toBeGreaterThan(0.2);
  expect(await similarity('accommodation', 'acommodation')).toBeGreaterThan(0.2);
  expect(await similarity('猫', '猫が好き')).toBeGreaterThan(0.2);
  expect(Math.abs(await similarity('supersonic flow', 'blood plasma'))).toBeLessThan(0.2);
});

test('stops when it is told to', async () => {
  const stop = new AbortController();
  const made = embedder.embed(
    Array.from({ length: 1_000 }, (_, n) => `text ${n}`),
    'passage',
    stop.signal,
  );
  stop.abort(new Error('enough'));
  await expect(made).rejects.toThrow('enough');
});
