import { expect, it } from 'vitest';
import type { ReplySources, Search } from './reply-sources.js';
import { answerCalls, searchTool } from './search-tool.js';

it.each([
  ['\u0000mill\u0000race', 'mill race'],
  ['mill \ud83d', 'mill'],
  ['mill \ud83d\ude42', 'mill \ud83d\ude42'],
])('searches for what Postgres can keep: %j', async (query, kept) => {
  const sources: ReplySources = {
    ...{ passages: [], cited: [], searches: [], fromTool: 0 },
    ...{ outcome: 'nothing-found', wordsAlone: false },
  };
  const asked: string[] = [];
  const search = async (words: string): Promise<Search> => {
    asked.push(words);
    return { passages: [], outcome: 'nothing-found', wordsAlone: false };
  };
  const [answer] = await answerCalls([{ id: 'call', name: searchTool.name, input: { query } }], sources, search, 1_000);
  expect(answer?.isError).toBe(false);
  expect(asked).toEqual([kept]);
  expect(sources.searches).toEqual([{ query: kept, outcome: 'nothing-found', passages: 0 }]);
});
