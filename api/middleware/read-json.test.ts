import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { problems } from './problem.js';
import { readJson } from './read-json.js';

let server: Server;
beforeEach(async () => {
  const app = express();
  app.post('/', readJson(100, 200), (req, res) => void res.json({ body: req.body as unknown }));
  app.use(problems);
  await new Promise<void>((resolve) => (server = app.listen(0, '127.0.0.1', () => resolve())));
});
afterEach(() => void server.close());

/** What is answered to the bytes of a body, whatever its headers say of it. */
async function send(headers: string, body: Buffer | string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(`POST / HTTP/1.1\r\nHost: millrace\r\nConnection: close\r\n${headers}\r\n\r\n`);
  socket.write(body);
  // Ends only when the server closes.
  const answer = await text(socket);
  return `${answer.slice(9, 12)} ${answer.split('\r\n\r\n')[1]}`;
}

const json = (body: Buffer | string, type = 'application/json'): Promise<string> =>
  send(`Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}`, body);

it.each(['utf-8', 'UTF-8', 'utf8', '"UTF8"', 'utf-8; q=1', ''])('takes the charset %s', async (charset) => {
  expect(await json('{"a":"é"}', `application/json; charset=${charset}`)).toBe('200 {"body":{"a":"é"}}');
});

it.each(['utf-16', 'utf-16le', 'utf-32', 'utf-7', 'iso-8859-1', 'bogus'])('refuses the charset %s', async (charset) => {
  const body = Buffer.from('{"a":1}', 'utf16le');
  expect(await json(body, `application/json; charset=${charset}`)).toContain('"code":"unsupported_media_type"');
});

it('reads past a byte order mark, and an empty body is none', async () => {
  expect(await json('\uFEFF[1]')).toBe('200 {"body":[1]}');
  expect(await json('')).toBe('200 {}');
});

it.each([
  ['Content-Length: 50', '{"a":'],
  ['Transfer-Encoding: chunked', '5\r\n{"a":\r\n'],
])('does not wait for ever for the rest of a body with %s', async (length, body) => {
  const answer = await send(`Content-Type: application/json\r\n${length}`, body);
  expect(answer).toMatch(/^408 .*"code":"request_timeout"/);
});

it('refuses a body that is announced as too large before it has come', async () => {
  const answer = await send('Content-Type: application/json\r\nContent-Length: 101', '{');
  expect(answer).toMatch(/^413 .*"code":"payload_too_large"/);
});
