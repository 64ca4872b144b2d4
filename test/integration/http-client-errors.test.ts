import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { startTestApp } from '../support/app.js';

const app = await startTestApp();
afterAll(app.close);

/** All that is answered to these bytes; ends only when the server closes. */
async function send(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

const head = 'GET /healthz HTTP/1.1\r\nHost: millrace\r\n';

test.each([
  ['too long headers', `${head}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ['a too long address', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: millrace\r\n\r\n`, 414, 'uri_too_long'],
  ['no HTTP at all', 'hello\r\n\r\n', 400, 'malformed_request'],
  ['a header without a colon', `${head}broken\r\n\r\n`, 400, 'malformed_request'],
])('%s are answered as a problem document, and the connection closes', async (_, sent, status, code) => {
  const [headers = '', body = ''] = (await send(sent)).split('\r\n\r\n');
  expect(headers).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(headers).toContain('Content-Type: application/problem+json');
  const problem = JSON.parse(body);
  expect(problem).toMatchObject({ type: 'about:blank', status, code });
  expect(headers).toContain(`X-Request-Id: ${problem.requestId}`);
});

test('a request without Host is refused as a problem document, unless it is of HTTP/1.0', async () => {
  const answer = await send('GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r[^]*"code":"malformed_request"/);
  expect(await send('GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 OK\r[^]*"alive"/);
});

test.each([
  ['to go on in HTTP/2', 'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings, close\r\nHTTP2-Settings: AAMAAABkAAQ'],
  ['WebSocket where there is none', 'Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13'],
])('an offer %s is ignored: the request is answered in HTTP/1.1, with its body', async (_, offer) => {
  const body = JSON.stringify({ email: 'nobody@example.com', password: 'wrong and long enough' });
  const about = `${offer}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  const answer = await send(`POST /api/v1/auth/login HTTP/1.1\r\nHost: millrace\r\n${about}\r\n\r\n${body}`);
  expect(answer).toMatch(/^HTTP\/1.1 401 Unauthorized\r[^]*"code":"invalid_credentials"/);
});

test('an expectation that nobody knows is ignored', async () => {
  const answer = await send(`${head}Expect: the-unexpected\r\nConnection: close\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1.1 200 OK\r[^]*"alive"/);
});
