import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createExtractor, type Extraction } from '../../shared/knowledge/extraction/extract.js';
import type { ExtractedPart } from '../../shared/knowledge/extraction/part.js';
import { pdfOf, xlsxOf } from '../support/small-files.js';

const extractor = createExtractor();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'millrace-mails-'));
});
afterAll(async () => {
  extractor.close();
  await rm(folder, { recursive: true, force: true });
});

async function read(
  mail: string | Buffer,
  name = 'a.eml',
  limits: Extraction['limits'] = {},
  reader = extractor,
): Promise<ExtractedPart[]> {
  const file = path.join(folder, name);
  await writeFile(file, mail);
  const parts: ExtractedPart[] = [];
  for await (const part of reader.extract({ path: file, name, limits })) parts.push(part);
  return parts;
}

const header = (subject: string, type: string): string =>
  `From: a@example.org\r\nTo: b@example.org\r\nSubject: ${subject}\r\nMIME-Version: 1.0\r\nContent-Type: ${type}\r\n\r\n`;

const attached = (name: string, content: Buffer): string =>
  `--x\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=${name}\r\n` +
  `Content-Transfer-Encoding: base64\r\n\r\n${content.toString('base64')}\r\n`;

const mailOf = (parts: string): string => `${header('Files', 'multipart/mixed; boundary=x')}${parts}--x--\r\n`;

it(
  'what came with a mail is read as a file of its own would be, with its pages and headings',
  { timeout: 60_000 },
  async () => {
    const workbook = xlsxOf('<row><c r="A1" t="inlineStr"><is><t>a cell</t></is></c></row>');
    const parts = await read(
      mailOf(
        '--x\r\nContent-Type: text/plain\r\n\r\nSee below\r\n' +
          attached('report.pdf', pdfOf(['One', 'Two'], [{ title: 'Two', page: 1 }])) +
          attached('picture.png', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')) +
          attached('broken.pdf', Buffer.from('%PDF-1.7 and no more')) +
          attached('book.xlsx', workbook),
      ),
    );
    expect(parts.slice(1).map(({ page, sheet, headingPath, text }) => [page, sheet, headingPath, text.trim()])).toEqual(
      [
        [1, undefined, ['Files', 'report.pdf'], 'One'],
        [2, undefined, ['Files', 'report.pdf', 'Two'], 'Two'],
        [undefined, undefined, ['Files', 'broken.pdf'], expect.stringMatching(/^broken.pdf was not read. .* damaged/)],
        [undefined, 'Data', ['Files', 'book.xlsx', 'Data'], 'a cell'],
      ],
    );
    expect(parts[0]?.text).toContain('Attachments: report.pdf, picture.png, broken.pdf, book.xlsx\n\nSee below');
  },
);

it('a mail inside of a mail is read with its header, and with what came with it', async () => {
  const inner = `${header('The first mail', 'multipart/mixed; boundary=y')}--y\r\nContent-Type: text/plain\r\n\r\nInner words\r\n--y--\r\n`;
  for (const disposition of ['', 'Content-Disposition: attachment\r\n']) {
    const parts = await read(mailOf(`--x\r\nContent-Type: message/rfc822\r\n${disposition}\r\n${inner}`));
    expect(parts.at(-1)?.headingPath).toEqual(['Files', 'attachment.eml', 'The first mail']);
    expect(parts.at(-1)?.text).toContain('Subject: The first mail');
    expect(parts.at(-1)?.text).toContain('Inner words');
  }
});

it('mails that are inside of one another without end are read to some depth, and leave no files behind', async () => {
  let mail = `${header('Deepest', 'text/plain')}The end`;
  for (let depth = 0; depth < 40; depth += 1) {
    const type = `multipart/mixed; boundary=x${depth}`;
    mail = `${header('Files', type)}--x${depth}\r\nContent-Type: message/rfc822\r\n\r\n${mail}\r\n--x${depth}--\r\n`;
  }
  const scratch = path.join(folder, 'scratch');
  await mkdir(scratch);
  vi.stubEnv('TMPDIR', scratch);
  const own = createExtractor();
  const parts = await read(mail, 'a.eml', {}, own).finally(() => vi.unstubAllEnvs());
  expect(parts.length).toBeGreaterThan(3);
  expect(parts.length).toBeLessThan(10);
  const left = await readdir(scratch, { recursive: true, withFileTypes: true });
  expect(left.filter((entry) => entry.isFile())).toEqual([]);
  own.close();
});

it('a mail may be to so many people that the rest of its header is far from its beginning', async () => {
  const people = Array.from({ length: 1_000 }, (_, at) => `person${at}@example.org`).join(', ');
  const mail = `From: a@example.org\r\nTo: ${people}\r\nSubject: Party\r\nMIME-Version: 1.0\r\n\r\nCome all`;
  const [part] = await read(mail);
  expect(part?.headingPath).toEqual(['Party']);
});

it('an encrypted mail says so', async () => {
  const mail = header('Secret', 'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=x');
  await expect(read(`${mail}--x\r\n\r\nVersion: 1\r\n--x--`)).rejects.toMatchObject({ code: 'encrypted' });
});

it('a memo that says from whom and to whom it is stays the text that it is', async () => {
  const memo = 'From: the board\nTo: everybody\nSubject: parking\nDate: today\n\nPark elsewhere.\nReceived: never\n';
  const [part] = await read(memo, 'memo.txt');
  expect(part?.text.trim()).toBe(memo.trim());
});

describe('parts of a mail are read', () => {
  const csv = '--y\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=l.csv\r\n\r\nmilk,2\r\n';
  const parts = `--y\r\nContent-Type: text/plain\r\n\r\nSee below\r\n${csv}--y--\r\n`;

  it.each([
    ['whose header names no boundary', 'multipart/mixed'],
    ['whose header names another one', 'multipart/mixed;\r\n boundary="other"'],
  ])('of one %s', async (_which, type) => {
    const texts = (await read(`${header('Parts', type)}${parts}`)).map(({ text }) => text.trim());
    expect(texts[0]).toMatch(/See below$/);
    expect(texts[1]).toBe('milk | 2');
  });

  it('and where it has none, its text', async () => {
    const [part] = await read(`${header('None', 'multipart/mixed; boundary=x')}Only a text\r\n`);
    expect(part?.text.trim()).toMatch(/Only a text$/);
  });
});

it('all mails of a mailbox are read, each under its subject, and a broken one spoils none', async () => {
  const sent = (at: number): string => `From a@example.org Mon Jan  1 1${at}:00:00 2024\r\n`;
  const mailbox = [
    `${sent(0)}${mailOf('--x\r\nContent-Type: text/plain\r\n\r\nFirst text\r\n\r\nFrom here on it is mine.\r\n')}`,
    `${sent(1)}${header('Broken', `text/plain\r\nX-Long: ${'x'.repeat(3_000_000)}`)}lost\r\n`,
    `${sent(2)}${header('Last', 'text/plain')}Last text\r\n`,
  ].join('\r\n');
  for (const name of ['a.mbox', 'a.eml']) {
    const parts = await read(mailbox, name);
    expect(parts.map(({ headingPath }) => headingPath)).toEqual([['Files'], ['Last']]);
    expect(parts[0]?.text).toContain('From here on it is mine.');
    expect(parts[1]?.text).toContain('Last text');
  }
});

it('a mail that was saved in UTF-16, or with a byte order mark, has its header', async () => {
  const mail = `\ufeff${header('Größe', 'text/plain; charset=utf-8')}wide words`;
  for (const bytes of [Buffer.from(mail, 'utf16le'), Buffer.from(mail)]) {
    const [part] = await read(bytes);
    expect(part?.text).toMatch(/^Subject: Größe\nFrom: a@example.org\n[^]*wide words/);
  }
});

it('a file with more files inside of it than are read says so, and one with many is read to its last', async () => {
  const many = (count: number): string =>
    Array.from({ length: count }, (_, at) => attached(`${at}.txt`, Buffer.from(`text ${at}`))).join('');
  const parts = await read(mailOf(many(120)));
  expect(parts.at(-1)).toMatchObject({ headingPath: ['Files', '119.txt'], text: 'text 119\n\n' });
  await expect(read(mailOf(many(5)), 'a.eml', { innerFiles: 4 })).rejects.toMatchObject({
    code: 'too_large',
    message: 'There are more files inside of the file than are read (4). Upload it in several parts.',
  });
});

it('signatures, and the style of a saved page, are no texts that came with a mail', async () => {
  const part = (type: string, content: string): string => `--x\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`;
  const parts = await read(
    mailOf(
      part('text/html', '<p>Saved words</p>') +
        part('text/css', 'p { color: red }') +
        part('application/pgp-signature; name=signature.asc', '-----BEGIN PGP SIGNATURE-----'),
    ),
  );
  expect(parts.map(({ text }) => text.split('\n\n')[1])).toEqual(['Saved words']);
});

it('what stands inside of its signature is read, of a mail and of a file that came with one', async () => {
  const signed =
    'ME0GCSqGSIb3DQEHAqBAMD4CAQExADA1BgkqhkiG9w0BBwGgKAQmQ29udGVudC1UeXBlOiB0ZXh0L3BsYWluDQoNCkl0IGlzIG1pbmUxAA==';
  const type = 'application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: base64';
  const [mail] = await read(`${header('Signed', type)}${signed}\r\n`);
  expect(mail?.text.trim()).toMatch(/^Subject: Signed\n.*It is mine$/s);
  const [, file] = await read(mailOf(attached('page.txt.p7m', Buffer.from(signed, 'base64'))));
  expect([file?.headingPath, file?.text.trim().slice(-10)]).toEqual([['Files', 'page.txt'], 'It is mine']);
});

it('of a file without text that came with a mail people are told why nothing is found in it', async () => {
  const parts = await read(mailOf(attached('scan.pdf', pdfOf([''])) + attached('empty.txt', Buffer.from(' '))));
  expect(parts.slice(1).map(({ headingPath, text }) => [headingPath, text.trim()])).toEqual([
    [['Files', 'scan.pdf'], expect.stringMatching(/^scan.pdf was not read. There is no text on any page/)],
  ]);
});

describe('the text of a mail', () => {
  it('has the signs that Windows added to Latin letters, in its header and its text', async () => {
    const type = 'text/plain; charset=windows-1252\r\nContent-Transfer-Encoding: quoted-printable';
    const [part] = await read(`${header('=?windows-1252?Q?5_=80?=', type)}It=92s =935 =80=94 =96 \u2026`);
    expect(part?.text).toContain('Subject: 5 €');
    expect(part?.text).toContain('It’s “5 €” –');
  });

  it('is its page, where the text beside it only says that there is one', async () => {
    const page = `<p>${'All that is said. '.repeat(20)}</p>`;
    const parts = (text: string): string =>
      `--x\r\nContent-Type: text/plain\r\n\r\n${text}\r\n--x\r\nContent-Type: text/html\r\n\r\n${page}\r\n--x--\r\n`;
    const type = 'multipart/alternative; boundary=x';
    const [stub] = await read(`${header('News', type)}${parts('See it in your browser.')}`);
    expect(stub?.text).toContain('All that is said.');
    expect(stub?.text).not.toContain('browser');
    const [full] = await read(`${header('News', type)}${parts('As plain words. '.repeat(10))}`);
    expect(full?.text).not.toContain('All that is said.');
  });

  it('has no marks in lines that were quoted and cut', async () => {
    const quoted = '> a line that goes \r\n> on and on\r\n>> deeper it \r\n>> goes\r\nif a > b\r\n';
    const [flowed] = await read(`${header('Re', 'text/plain; format=flowed')}${quoted}`);
    expect(flowed?.text).toMatch(/\n> a line that goes on and on\n>> deeper it goes\nif a > b\n/);
    const [fixed] = await read(`${header('Re', 'text/plain')}> 2 > 1\r\n`);
    expect(fixed?.text).toContain('> 2 > 1');
  });

  it('has the headings of a page that was saved with all that belongs to it', async () => {
    const page =
      '<html><body><p>Intro</p><h1>Pumps</h1><p>Big ones.</p><h2>Valves</h2><p>Small ones.</p></body></html>';
    const parts = await read(
      `${header('Manual', 'multipart/related; boundary=x')}--x\r\nContent-Type: text/html\r\n\r\n${page}\r\n--x--\r\n`,
      'a.mht',
    );
    expect(parts.map(({ headingPath, text }) => [headingPath, text.trim().split('\n').at(-1)])).toEqual([
      [['Manual'], 'Intro'],
      [['Manual', 'Pumps'], 'Big ones.'],
      [['Manual', 'Pumps', 'Valves'], 'Small ones.'],
    ]);
  });

  it('is read once and without the commands of the enriched format', async () => {
    const enriched = '<bold>Now</bold> is\r\nthe <<time.\r\n\r\n<color><param>red</param>Go</color>';
    const [alone] = await read(header('Rich', 'text/enriched') + enriched);
    expect(alone?.text.split('\n\n')[1]).toBe('Now is the <time.\nGo');
    const part = (type: string, text: string): string => `--x\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`;
    const both = part('text/plain', 'Now is\r\nthe <time.\r\nGo') + part('text/enriched', enriched);
    const parts = await read(`${header('Rich', 'multipart/alternative; boundary=x')}${both}--x--\r\n`);
    expect(parts.map(({ text }) => text.split('\n\n')[1])).toEqual(['Now is\nthe <time.\nGo']);
  });
});
