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
  await expect(ask({ status: 500, body })).rejects.toMatchObject({ code: 'embedding_failed', transient: true });
});

test.each([
  ['<html>Sign in</html>', 'embedding_unavailable'],
  ['{"data": [{"index": 0, "embedding": [NaN]}]}', 'embedding_failed'],
])('who answers with something else than JSON is there: %s', async (body, code) => {
  await expect(ask({ status: 200, body })).rejects.toMatchObject({
    code,
    message: 'The embeddings service answered with something else than JSON.',
    transient: true,
  });
});

test.each([
  [402, '{"detail":"Insufficient balance"}', 'embedding_unpaid'],
  [403, '{"error":{"message":"insufficient credit"}}', 'embedding_unpaid'],
  [429, '{"error":{"code":"insufficient_quota"}}', 'embedding_unpaid'],
  [400, '{"error":{"message":"API key not valid. Please pass a valid API key."}}', 'embedding_unauthorized'],
  [403, '{"error":{"message":"Project has no access to model `some-model`"}}', 'embedding_unknown_model'],
  [401, '{"error":{"message":"Incorrect API key provided: sk-abc"}}', 'embedding_unauthorized'],
  [
    404,
    '{"error":{"message":"The model `some-model` does not exist","code":"model_not_found"}}',
    'embedding_unknown_model',
  ],
  [400, '{"detail":"Model some-model is not supported. Supported models are [...]."}', 'embedding_unknown_model'],
  [400, '{"message":"Invalid model: some-model","code":"1500"}', 'embedding_unknown_model'],
  [400, `{"error":"Invalid value for 'dimensions' = 4000. Must be less than or equal to 3072."}`, 'embedding_size'],
])('what an operator has to mend lies in no text: %d %s', async (status, body, code) => {
  const error = await ask({ status, body }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code, transient: false, ofService: true });
  expect((error as Error).message).not.toContain('sk-abc');
});

test.each([
  ['{"error":{"message":"Provider returned error","code":429}}', 'embedding_rate_limited', true],
  ['{"error":{"message":"No endpoints","code":"upstream"}}', 'embedding_failed', true],
  ['{"error":{"message":"maximum context length is 512 tokens","code":400}}', 'embedding_too_large', false],
])('an error is one, whatever the status says: %s', async (body, code, transient) => {
  await expect(ask({ status: 200, body })).rejects.toMatchObject({ code, transient });
});

test('what it says of an error is told', async () => {
  const asked = ask({ status: 200, body: '{"error":{"message":"the tokenizer is gone"}}' });
  await expect(asked).rejects.toThrow(/had an error \(500\).*the tokenizer is gone/);
});
