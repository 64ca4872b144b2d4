import type { UsageOfDay } from './usage.js';

/** US dollars for a million tokens. Writing to the cache is meant for five minutes, as it is used here. */
export type ModelPrice = { input: number; output: number; cacheWrite: number; cacheRead: number };

export type ModelPrices = Readonly<Record<string, ModelPrice>>;

const price = (input: number, output: number, cacheWrite: number, cacheRead: number): ModelPrice => ({
  input,
  output,
  cacheWrite,
  cacheRead,
});

/**
 * What Anthropic charges, from https://platform.claude.com/docs/en/about-claude/pricing and its pages about single
 * models, as of 24 October 2026. MODEL_PRICES changes and adds to it.
 *
 * Left out is Claude Haiku 5.5: a prompt of more than 100,000 tokens costs five times as much there, and usage is kept
 * by reply. So are batches, priority, regions and what other clouds charge, none of which are used here.
 */
const published: ModelPrices = {
  'claude-fable-5-1': price(10, 50, 12.5, 0.25),
  'claude-fable-5': price(10, 50, 12.5, 1),
  'claude-mythos-5-1': price(10, 50, 12.5, 0.25),
  'claude-mythos-5': price(10, 50, 12.5, 1),
  'claude-opus-5-5': price(4, 20, 5, 0.2),
  'claude-opus-5': price(5, 25, 6.25, 0.5),
  'claude-opus-4-8': price(5, 25, 6.25, 0.5),
  'claude-opus-4-7': price(5, 25, 6.25, 0.5),
  'claude-opus-4-6': price(5, 25, 6.25, 0.5),
  'claude-opus-4-5': price(5, 25, 6.25, 0.5),
  'claude-opus-4-1': price(15, 75, 18.75, 1.5),
  'claude-opus-4': price(15, 75, 18.75, 1.5),
  // Reading from the cache was 0.20 until 7 October 2026.
  'claude-sonnet-5-5': price(2, 10, 2.5, 0.1),
  'claude-sonnet-5': price(2, 10, 2.5, 0.2),
  'claude-sonnet-4-6': price(3, 15, 3.75, 0.3),
  'claude-sonnet-4-5': price(3, 15, 3.75, 0.3),
  'claude-sonnet-4': price(3, 15, 3.75, 0.3),
  'claude-haiku-4-5': price(1, 5, 1.25, 0.1),
};

/** A model's name may end with the day it was made, or with `-latest`; with another number it is another model. */
const edition = /^([-@]\d{8}|-latest|-0)?$/;

function priceOf(model: string, own: ModelPrices): ModelPrice | null {
  for (const prices of [own, published]) {
    const name = Object.keys(prices).find((each) => model.startsWith(each) && edition.test(model.slice(each.length)));
    if (name !== undefined) return prices[name] ?? null;
  }
  return null;
}

/**
 * What the tokens cost in US dollars at today's prices, to a millionth; null where the price of the model is not known.
 *
 * @param own the operator's prices, which come first.
 */
export function costOf(
  usage: Pick<UsageOfDay, 'model' | 'inputTokens' | 'outputTokens' | 'cacheReadTokens' | 'cacheWriteTokens'>,
  own: ModelPrices,
): number | null {
  const found = priceOf(usage.model, own);
  if (!found) return null;
  const micros =
    usage.inputTokens * found.input +
    usage.outputTokens * found.output +
    usage.cacheReadTokens * found.cacheRead +
    usage.cacheWriteTokens * found.cacheWrite;
  return Math.round(micros) / 1_000_000;
}
