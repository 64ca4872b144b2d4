import { expect, it } from 'vitest';
import { signedContent, withoutSignature } from './mail-signed.js';

const value = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(3);
  length.writeUInt8(0x82);
  length.writeUInt16BE(content.length, 1);
  return Buffer.concat([Buffer.from([tag]), content.length < 0x80 ? Buffer.from([content.length]) : length, content]);
};
/** Of a length that is not told. */
const open = (tag: number, ...parts: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([tag, 0x80]), ...parts, Buffer.from([0, 0])]);
const kind = (last: number): Buffer => value(0x06, Buffer.from(`2a864886f70d01070${last}`, 'hex'));

const signed = (content: Buffer, wrap = value): Buffer =>
  wrap(
    0x30,
    kind(2),
    wrap(
      0xa0,
      wrap(
        0x30,
        value(0x02, Buffer.from([1])),
        value(0x31),
        wrap(0x30, kind(1), wrap(0xa0, content)),
        value(0x31, Buffer.alloc(300)),
      ),
    ),
  );

const words = 'Content-Type: text/plain\r\n\r\nSigned words\r\n';
const header = 'From: a@example.org\r\nSubject: One\r\nContent-Type: application/pkcs7-mime;\r\n name=smime.p7m\r\n';
const mailOf = (body: Buffer): Buffer =>
  Buffer.from(`${header}Content-Transfer-Encoding: base64\r\n\r\n${body.toString('base64')}\r\n`);
const opened = `From: a@example.org\r\nSubject: One\r\nMIME-Version: 1.0\r\n${words}`;

it.each([
  ['of a known length', signed(value(0x04, Buffer.from(words)))],
  [
    'in pieces',
    signed(open(0x24, value(0x04, Buffer.from(words.slice(0, 9))), value(0x04, Buffer.from(words.slice(9)))), open),
  ],
])('a mail is taken out of its signature, %s', (_which, body) => {
  expect(withoutSignature(mailOf(body)).toString()).toBe(opened);
  expect(withoutSignature(Buffer.concat([Buffer.from(`${header}\r\n`), body])).toString()).toBe(opened);
});

it('and out of that of somebody who signed it again', () => {
  const inner = mailOf(signed(value(0x04, Buffer.from(words))))
    .toString()
    .slice('From: a@example.org\r\nSubject: One\r\n'.length);
  expect(withoutSignature(mailOf(signed(value(0x04, Buffer.from(inner))))).toString()).toBe(opened);
});

it('one that is encrypted, broken or made to be nested without end stays as it is', () => {
  const whole = signed(value(0x04, Buffer.from(words)));
  const deep = Buffer.concat(Array.from({ length: 100_000 }, () => Buffer.from([0x30, 0x80])));
  const encrypted = value(0x30, kind(3), value(0xa0, value(0x30)));
  for (const body of [encrypted, whole.subarray(0, 60), deep, Buffer.from([0x30, 0x88, 255, 255]), Buffer.alloc(0)]) {
    expect(signedContent(body)).toBeUndefined();
    expect(withoutSignature(mailOf(body)).equals(mailOf(body))).toBe(true);
  }
});
