import { expect, it } from 'vitest';
import { type DrawingPage, drawnRuns, operationsOf } from './pdf-drawn.js';

it('gathers what is done with text, and no lines', async () => {
  const gathered: unknown[] = [];
  const page: DrawingPage = {
    _renderPageChunk: ({ fnArray, argsArray, length }) => gathered.push([fnArray, argsArray, length]),
    getOperatorList: async () => {
      page._renderPageChunk?.({ fnArray: [91, 37, 91, 44], argsArray: [['m'], ['f', 12], ['l'], [[]]], length: 4 }, {});
      return { fnArray: [], argsArray: [] };
    },
  };
  await operationsOf(page);
  expect(gathered).toEqual([[[37, 44], [['f', 12], [[]]], 2]]);
});

it('has letters in one run that follow one another, however the pen comes there', () => {
  const letter = (unicode: string) => ({ unicode, width: 500 });
  const steps: [operation: number, args: unknown[]][] = [
    [37, ['font', 10]],
    [42, [1, 0, 0, 1, 50, 50]],
    [44, [[letter('a'), -100, letter('b')]]],
    [40, [12, 0]],
    [44, [[letter('c')]]],
    [40, [60, 0]],
    [44, [[letter('d')]]],
    [40, [0, -12]],
    [44, [[letter('e')]]],
  ];
  const runs = drawnRuns({ fnArray: steps.map(([step]) => step), argsArray: steps.map(([, args]) => args) });
  expect(runs.map((run) => run.map(({ text }) => text).join(''))).toEqual(['abc', 'd', 'e']);
  expect(runs[0]?.map(({ gap }) => gap).slice(1)).toEqual([100, 100]);
});
