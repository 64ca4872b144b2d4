import { describe, expect, test } from 'vitest';
import { costOf } from './prices.js';

const million = 1_000_000;
const used = (model: string) => ({
  model,
  inputTokens: million,
  outputTokens: million,
  cacheReadTokens: million,
  cacheWriteTokens: million,
});

describe('costOf', () => {
  test.each([
    ['claude-sonnet-5-5', 2 + 10 + 2.5 + 0.1],
    ['claude-haiku-4-5-20251001', 1 + 5 + 1.25 + 0.1],
    ['claude-opus-4-20250514', 15 + 75 + 18.75 + 1.5],
    ['claude-opus-4-9', null],
    ['claude-haiku-5-5', null],
    ['mistral', null],
    ['', null],
  ])('%s', (model, cost) => expect(costOf(used(model), {})).toBe(cost));

  test('the operator’s prices come first', () => {
    const own = { 'claude-haiku-5-5': { input: 0.1, output: 0.5, cacheWrite: 0.125, cacheRead: 0.01 } };
    expect(costOf(used('claude-haiku-5-5'), own)).toBe(0.735);
    const cheaper = { 'claude-sonnet-5-5': { input: 0, output: 1, cacheWrite: 0, cacheRead: 0 } };
    expect(costOf(used('claude-sonnet-5-5'), cheaper)).toBe(1);
  });

  test('single tokens are not lost, and nothing costs nothing', () => {
    const none = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
    expect(costOf({ ...none, model: 'claude-sonnet-5-5', inputTokens: 3 }, {})).toBe(0.000006);
    expect(costOf({ ...none, model: 'claude-sonnet-5-5' }, {})).toBe(0);
  });
});
