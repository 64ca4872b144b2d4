import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { requestEmbeddings } from './embeddings-request.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function ask(answer: { status: number; body: string }): Promise<Float32Array[]> {
  server = createServer((_request, response) => response.writeHead(answer.status).end(answer.body));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { signal } = new AbortController();
  return requestEmbeddings({ url, apiKey: undefined, body: {}, timeoutMs: 5_000, signal }, 1);
}

test.each([
  "HTTPConnectionPool(host='gpu', port=80): Max retries exceeded with url: /v1/embeddings",
  'context deadline exceeded',
  'the maximum number of connections is in use',
])('an error of the server passes, and is not about the text, whatever limit it speaks of: %s', async (body) => {
  await expect(ask({ status: 500, body })).rejects.toMatchObject({ code: 'embedding_unavailable', transient: true });
});

test.each(['<html>Sign in</html>', '{"data": [{"index": 0, "embedding": [NaN]}]}'])(
  'who answers with something else than JSON is there: %s',
  async (body) => {
    await expect(ask({ status: 200, body })).rejects.toMatchObject({
      message: 'The embeddings service answered with something else than JSON.',
      transient: true,
    });
  },
);
