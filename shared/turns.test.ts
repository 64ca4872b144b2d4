import { expect, test } from 'vitest';
import { createTurns } from './turns.js';

test('who has asked for much makes another wait for one piece of it', async () => {
  const turns = createTurns();
  const done: string[] = [];
  const ask = (who: string, name: string): Promise<void> => turns.take(who, async () => void done.push(name));
  await Promise.all([ask('a', 'a1'), ask('a', 'a2'), ask('a', 'a3'), ask('b', 'b1'), ask('b', 'b2')]);
  expect(done).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
});

test('what fails does so for who asked, and stops nobody; later work is done too', async () => {
  const turns = createTurns();
  const failing = turns.take('a', () => Promise.reject(new Error('no')));
  const fine = turns.take('a', async () => 'yes');
  await expect(failing).rejects.toThrow('no');
  expect(await fine).toBe('yes');
  expect(await turns.take('b', async () => 'later')).toBe('later');
});
