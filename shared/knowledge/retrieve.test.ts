import { expect, it } from 'vitest';
import type { VectorStore } from '../adapters/vector-store/vector-store.js';
import type { Sql } from '../database.js';
import { retrievePassages } from './retrieve.js';

it.each(['', 'a'])('searches for the beginning of a long question, cut between two characters', async (first) => {
  const asked: string[] = [];
  const deps = {
    database: { query: async () => ({ rows: [{ found: true }], rowCount: 1 }) } as unknown as Sql,
    vectors: {} as VectorStore,
    judge: async () => [],
    async encodeQuery(text: string): Promise<never> {
      asked.push(text);
      throw new Error('enough');
    },
  };
  const question = first + '🙂'.repeat(2_000);
  await expect(retrievePassages(deps, [], question, AbortSignal.abort())).rejects.toThrow('enough');
  expect(asked).toEqual([first + '🙂'.repeat(first === '' ? 1_000 : 999)]);
});
