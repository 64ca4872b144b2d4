import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { startTestApp } from '../support/app.js';

const app = await startTestApp();
afterAll(app.close);

const head = 'GET /healthz HTTP/1.1\r\nHost: millrace\r\n';

test.each([
  ['too long headers', `${head}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ['no HTTP at all', 'hello\r\n\r\n', 400, 'malformed_request'],
  ['a header without a colon', `${head}broken\r\n\r\n`, 400, 'malformed_request'],
])('%s are answered as a problem document, and the connection closes', async (_, sent, status, code) => {
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
  socket.write(sent);
  // Ends only when the server closes.
  const [headers = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  expect(headers).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(headers).toContain('Content-Type: application/problem+json');
  const problem = JSON.parse(body);
  expect(problem).toMatchObject({ type: 'about:blank', status, code });
  expect(headers).toContain(`X-Request-Id: ${problem.requestId}`);
});
