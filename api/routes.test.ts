import { expect, it } from 'vitest';
import { routes } from './routes.js';

const patches = routes.filter(({ method }) => method === 'patch');

it.each(patches.map(({ path, body }) => ({ path, body })))('PATCH $path refuses to change nothing', ({ body }) => {
  expect(body?.safeParse({}).success).toBe(false);
});
