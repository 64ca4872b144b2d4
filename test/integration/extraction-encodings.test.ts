import iconv from 'iconv-lite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileReader, startFileReader } from '../support/extraction.js';

let files: FileReader;
beforeAll(async () => {
  files = await startFileReader();
});
afterAll(() => files.close());

const german = 'Größe und Übermaß: Die Straße führt über schöne Brücken nach Köln.';
const french = 'Nous avons mangé des crêpes à la crème près de la forêt où naît la rivière. Ça coûte cher, cher cœur.';
const polish = 'Zażółć gęślą jaźń. Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw.';
const russian = 'Москва является столицей России, городом федерального значения.';
const chinese = '北京市位于华北平原的北部，是中华人民共和国的首都。';
const japanese = '吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。';
const hungarian = 'Árvíztűrő tükörfúrógép. Az ember őrzi a gyökereit, és időnként új erőt merít belőlük.';
const romanian = 'Bucureşti este capitala României şi cel mai mare oraş. Aşa cum ştiţi, ţara are munţi.';
const lithuanian = 'Vilnius yra Lietuvos sostinė ir didžiausias šalies miestas, įsikūręs prie Neries upės.';
const czech = 'Příliš žluťoučký kůň úpěl ďábelské ódy. Česká republika leží ve střední Evropě.';
const ukrainian = 'Київ є столицею України. Її населення перевищує три мільйони людей.';
const thai = 'มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ';

describe('a text that does not say in what encoding it is', () => {
  it.each([
    ['windows-1252', german],
    ['macintosh', german],
    ['cp850', german],
    ['iso-8859-15', french],
    ['macintosh', french],
    ['iso-8859-2', polish],
    ['windows-1250', polish],
    ['koi8-r', russian],
    ['cp866', russian],
    ['gb18030', chinese],
    ['utf-16le', chinese],
    ['utf-16be', japanese],
    ['utf-16le', german],
    ['shift_jis', japanese],
    ['windows-874', thai],
    ['windows-1250', hungarian],
    ['iso-8859-2', hungarian],
    ['windows-1250', romanian],
    ['windows-1257', lithuanian],
    ['cp852', czech],
    ['koi8-u', ukrainian],
    ['utf-16le', thai],
    ['utf-16be', thai],
    ['utf-16le', `Ā${lithuanian}`],
    ['windows-1252', 'Café'],
    ['utf-32le', german],
    ['utf-32be', japanese],
    ['macintosh', 'He said “it’s a naïve café” – and paid £5 or more… © 2020 ™'],
    ['windows-1251', 'ПРИКАЗ О НАЗНАЧЕНИИ ДИРЕКТОРА\nМОСКВА 2020 ГОД'],
    ['cp866', `╔══════════════════╗\n║ Отчёт о расходах ║\n╚══════════════════╝`],
  ])('%s: %s', async (encoding, text) => {
    expect(await files.textOf('a.txt', iconv.encode(text, encoding, { addBOM: false }))).toBe(
      text.replaceAll('\n', ' '),
    );
  });

  it('is UTF-8 when a few of its bytes are broken', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${german}\n`.repeat(20)),
      Buffer.from([0xfc, 0xff, 0x0a]),
      Buffer.from(`${russian}\n`.repeat(20)),
    ]);
    const text = await files.textOf('a.txt', bytes);
    expect(text).toContain(german);
    expect(text).toContain(russian);
  });

  it('may be UTF-8 in some places and have single bytes of Windows in others', async () => {
    const bytes = Buffer.concat([Buffer.from(`${german}\n`), iconv.encode(`${german}\n${french}`, 'windows-1252')]);
    expect(await files.textOf('a.txt', bytes)).toBe(`${german} ${german} ${french}`);
    expect(await files.textOf('a.csv', Buffer.from('a;b\nM\u00c3\u00bcller;1\nJos\u00e9;2\n', 'latin1'))).toContain(
      'José',
    );
  });

  it('may have a NUL in it', async () => {
    expect(await files.textOf('a.log', `${'A line of a log.\n'.repeat(30)}\0\n`)).toContain('A line of a log.');
  });

  it('is not wide because of some zeros: such a file is refused rather than read as Chinese', async () => {
    await expect(files.textOf('a.csv', 'a,b,c\n1,\u00002,3\n')).rejects.toMatchObject({ code: 'unknown_type' });
  });

  it('may be filled up with NULs, as systems with files of fixed sizes do', async () => {
    expect(await files.textOf('a.txt', `${german}\n${'\0'.repeat(70_000)}`)).toBe(german);
    await expect(files.textOf('a.txt', '\0'.repeat(1_000))).rejects.toMatchObject({ code: 'unknown_type' });
  });

  it('may end as DOS ends texts', async () => {
    const bytes = Buffer.concat([iconv.encode(german, 'cp850'), Buffer.from([0x1a])]);
    expect(await files.textOf('a.txt', bytes)).toBe(german);
  });
});

it('a page in XML says in its first line in what encoding it is', async () => {
  const page = `<?xml version="1.0" encoding="ISO-8859-2"?><html><body><p>Łódź żółć</p></body></html>`;
  expect(await files.textOf('a.xhtml', iconv.encode(page, 'iso-8859-2'))).toBe('Łódź żółć');
});

it('and so does any other text in XML; a page may say it behind its styles', async () => {
  const xml = '<?xml version="1.0" encoding="windows-1251"?><a>Привет</a>';
  expect(await files.textOf('a.xml', iconv.encode(xml, 'windows-1251'))).toBe(xml);
  const page = `<html><head><style>${'p {} '.repeat(1_000)}</style><meta charset="windows-1250"></head><p>Żółw</p></html>`;
  expect(await files.textOf('a.html', iconv.encode(page, 'windows-1250'))).toBe('Żółw');
});

it.each([
  ['gb2312', 'gb18030', '中文页面 €'],
  ['iso-8859-9', 'windows-1254', 'İstanbul “ığ”'],
  ['iso-8859-11', 'windows-874', 'มนุษย์ “๑”'],
])('what is declared as %s is read as browsers do', async (declared, meant, text) => {
  const page = `<html><head><meta charset=${declared}></head><body><p>${text}</p></body></html>`;
  expect(await files.textOf('a.html', iconv.encode(page, meant))).toBe(text);
});

it('lines may end as on old Macs', async () => {
  expect(await files.headingsOf('a.md', '# One\rwords\r\r## Two\rmore\r')).toEqual([['One'], ['One', 'Two']]);
});

it('the letters of a mail that does not declare its encoding are read', async () => {
  const header = 'From: a@example.org\nTo: b@example.org\nDate: Mon, 2 Mar 2026 10:00:00 +0100\nMIME-Version: 1.0\n\n';
  const mail = Buffer.concat([Buffer.from(header), iconv.encode(german, 'windows-1252')]);
  expect(await files.textOf('a.eml', mail)).toContain(german);
});

it.each(['us-ascii', '"US-ASCII"', 'unknown-8bit'])(
  'a mail in UTF-8 that declares %s is read as UTF-8',
  async (charset) => {
    const header = 'From: a@example.org\nTo: b@example.org\nSubject: Auf Wiedersehen\nMIME-Version: 1.0\n';
    const mail = `${header}Content-Type: text/plain;\n charset=${charset}\nContent-Transfer-Encoding: 8bit\n\n${german}`;
    expect(await files.textOf('a.eml', mail)).toContain(german);
  },
);
