import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { nextFree } from './ports.js';

test('the port after one that is taken is the next free one, or one after that', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const { port } = squatter.address() as AddressInfo;
  const next = await nextFree(port, '127.0.0.1');
  expect(next).toBeGreaterThan(port);
  const server = createServer().listen(next, '127.0.0.1');
  await once(server, 'listening');
  for (const each of [squatter, server]) each.close();
});
