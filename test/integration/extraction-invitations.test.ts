import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FileReader, startFileReader } from '../support/extraction.js';

let files: FileReader;
beforeAll(async () => {
  files = await startFileReader();
});
afterAll(() => files.close());

const header =
  'From: a@example.org\r\nTo: Team: Bob <b@example.org>, c@example.org;\r\nSubject: Plan\r\nMIME-Version: 1.0\r\n';

it('an invitation is read as people see it, with the words that its lines cut', async () => {
  const calendar = [
    'BEGIN:VCALENDAR',
    'BEGIN:VTIMEZONE',
    'BEGIN:STANDARD',
    'DTSTART:16010101T030000',
    'END:STANDARD',
    'END:VTIMEZONE',
    'BEGIN:VEVENT',
    'ORGANIZER;CN="Lee: Ann":mailto:ann@example.org',
    'DESCRIPTION;LANGUAGE=en:Please bring the bud',
    ' get\\, and cake',
    'SUMMARY:Yearly plan',
    'DTSTART;TZID=Europe/Berlin:20240301T090000',
    'DTEND:20240301T100000Z',
    'BEGIN:VALARM',
    'DESCRIPTION:REMINDER',
    'END:VALARM',
    'END:VEVENT',
    'END:VCALENDAR',
  ].join('\r\n');
  const mail = `${header}Content-Type: text/calendar; method=REQUEST\r\n\r\n${calendar}\r\n`;
  expect(await files.headingsOf('a.eml', mail)).toEqual([['Plan'], ['Plan', 'invitation']]);
  const said =
    'Organizer: Lee: Ann <ann@example.org> Description: Please bring the budget, and cake Event: Yearly plan ' +
    'Start: 2024-03-01 09:00 Europe/Berlin End: 2024-03-01 10:00 UTC';
  expect(await files.textOf('a.eml', mail)).toMatch(new RegExp(`Attachments: invitation ${said}$`));
});

it('a mail to a group names all who are in it', async () => {
  expect(await files.textOf('a.eml', `${header}\r\nHi`)).toContain('To: Bob <b@example.org>, c@example.org Hi');
});

it('what Outlook has packed into a file of its own is read', async () => {
  const attribute = (id: number, value: string): Buffer => {
    const start = Buffer.alloc(9);
    start.writeUInt8(2);
    start.writeUInt32LE(id, 1);
    start.writeUInt32LE(value.length, 5);
    return Buffer.concat([start, Buffer.from(value), Buffer.alloc(2)]);
  };
  const packed = Buffer.concat([
    Buffer.from('789f3e220100', 'hex'),
    attribute(0x0002_800c, 'See the plan.'),
    attribute(0x0006_9002, ''),
    attribute(0x0001_8010, 'plan.txt'),
    attribute(0x0006_800f, 'First we eat.'),
  ]);
  const type = 'Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64';
  const mail = `${header}${type}\r\n\r\n${packed.toString('base64')}\r\n`;
  expect(await files.headingsOf('a.eml', mail)).toEqual([['Plan'], ['Plan', 'plan.txt']]);
  expect(await files.textOf('a.eml', mail)).toMatch(/Attachments: plan.txt See the plan. First we eat.$/);
});
