import { describe, expect, it } from 'vitest';
import type { Turn } from '../adapters/language-model/model.js';
import { mentionsClaude } from './post-message.js';
import { fitTurns, PromptTooLong, systemPrompt, tokensAtMost, toTurns } from './prompt.js';

const said = (seq: number, role: 'user' | 'assistant', content: string, authorName: string | null = null) => ({
  seq,
  role,
  content,
  authorName,
});

describe('toTurns', () => {
  it('names who speaks only when several people do', () => {
    const alone = [said(1, 'user', 'hi', 'Ada'), said(2, 'assistant', 'hello'), said(3, 'user', 'bye', 'Ada')];
    expect(toTurns(alone).map(({ content }) => content)).toEqual(['hi', 'hello', 'bye']);
    const together = [...alone, said(4, 'user', 'me too', 'Bob')];
    expect(toTurns(together).map(({ content }) => content)).toEqual(['Ada: hi', 'hello', 'Ada: bye', 'Bob: me too']);
  });

  it('begins with a person', () => {
    expect(toTurns([said(2, 'assistant', 'hello'), said(3, 'user', 'bye', 'Ada')])).toEqual([
      { role: 'user', content: 'bye' },
    ]);
  });
});

describe('fitTurns', () => {
  const turns: Turn[] = Array.from({ length: 9 }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: `${index} ${'word '.repeat(100)}`,
  }));
  const count = async (kept: readonly Turn[]): Promise<number> =>
    kept.reduce((sum, { content }) => sum + Math.ceil(content.length / 5), 0);

  it('asks nobody when the upper bound fits', async () => {
    const fitted = await fitTurns('system', turns, 100_000, () => Promise.reject(new Error('asked')));
    expect(fitted).toEqual({ turns, omitted: 0 });
  });

  it('leaves out the oldest turns until the rest fits, beginning with a person', async () => {
    const fitted = await fitTurns('system', turns, 350, count);
    expect(await count(fitted.turns)).toBeLessThanOrEqual(350);
    expect(fitted.turns.at(-1)).toEqual(turns.at(-1));
    expect(fitted.turns[0]?.role).toBe('user');
    expect(fitted.omitted).toBe(turns.length - fitted.turns.length);
  });

  it('keeps everything when only the bound was too careful', async () => {
    expect((await fitTurns('system', turns, 1_000, count)).omitted).toBe(0);
  });

  it('says so when the message alone is too long', async () => {
    await expect(fitTurns('system', turns, 50, count)).rejects.toThrow(PromptTooLong);
  });
});

describe('tokensAtMost', () => {
  it('is above what any text takes', () => {
    expect(tokensAtMost('word '.repeat(10))).toBeGreaterThan(10);
    expect(tokensAtMost('漢字仮名')).toBeGreaterThanOrEqual(8);
  });
});

describe('systemPrompt', () => {
  it('is a prefix that does not depend on the message', () => {
    expect(systemPrompt('Be brief.', true)).toBe(`${systemPrompt(null, true)}\n\nBe brief.`);
  });
});

describe('mentionsClaude', () => {
  it.each([
    '@claude',
    'Hey @Claude, look',
    '(@CLAUDE)',
    'ask @claude.',
    '@Claude: why?',
    '@claude... hm',
    '@claude - please',
    "@claude's view",
    '你好@claude请回答',
    '@claudeさん',
  ])('is true for %s', (content) => {
    expect(mentionsClaude(content)).toBe(true);
  });
  it.each([
    'claude',
    'me@claude.example',
    '@claudette',
    'x.@claude',
    '@claude_bot',
    'see @claude.ai',
    '@claude-x',
    'foo@claude',
    'foo+@claude',
    '@claude@example.com',
    '@claude\u0301',
  ])('is false for %s', (content) => {
    expect(mentionsClaude(content)).toBe(false);
  });
});
