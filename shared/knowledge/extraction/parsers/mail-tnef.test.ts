import { expect, it } from 'vitest';
import { readTnef } from './mail-tnef.js';

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const attribute = (id: number, value: Buffer | string): Buffer =>
  Buffer.concat([
    Buffer.from([2]),
    number(id),
    number(value.length),
    Buffer.from(value as string, 'latin1'),
    Buffer.from([0, 0]),
  ]);
const packed = (...attributes: Buffer[]): Buffer =>
  Buffer.concat([number(0x223e9f78), Buffer.from([1, 0]), ...attributes]);

const name = Buffer.from('Bericht über März.csv\0', 'utf16le');
const properties = Buffer.concat([
  number(3),
  // A truth, and one with a name of its own.
  number(0x3700_000b),
  number(1),
  number(0x8001_0003),
  Buffer.alloc(16),
  number(1),
  number(5),
  Buffer.from('abcde\0\0\0'),
  number(7),
  number(0x3707_001f),
  number(1),
  number(name.length),
  name,
]);

it('a file that Outlook has packed gives its text and the files in it', () => {
  const bytes = packed(
    attribute(0x0006_9007, Buffer.concat([number(1251), number(0)])),
    attribute(0x0002_800c, '\u00cf\u00f0\u00e8\u00e2\u00e5\u00f2\0'),
    attribute(0x0006_9002, Buffer.alloc(14)),
    attribute(0x0001_8010, 'BERICH~1.CSV\0'),
    attribute(0x0006_800f, 'a,b'),
    attribute(0x0006_9005, properties),
    attribute(0x0006_9002, Buffer.alloc(14)),
    attribute(0x0001_8010, 'b.txt\0'),
    attribute(0x0006_800f, 'words'),
    attribute(0x0006_9005, number(0xffff_ffff)),
  );
  const files = readTnef(bytes)?.files.map((file) => [file.name, Buffer.from(file.content).toString()]);
  expect(readTnef(bytes)?.text).toBe('Привет');
  expect(files).toEqual([
    ['Bericht über März.csv', 'a,b'],
    ['b.txt', 'words'],
  ]);
  for (let end = 6; end < bytes.length; end += 1)
    expect(readTnef(bytes.subarray(0, end))?.files.length).toBeLessThan(3);
  expect(readTnef(Buffer.from('words'))).toBeUndefined();
});
