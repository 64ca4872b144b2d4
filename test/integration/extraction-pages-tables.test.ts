import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileReader, startFileReader } from '../support/extraction.js';
import { pdfOf, xlsxOf, zipOf } from '../support/small-files.js';

let files: FileReader;
beforeAll(async () => {
  files = await startFileReader();
});
afterAll(() => files.close());

const inline = (reference: string, text: string): string =>
  `<c r="${reference}" t="inlineStr"><is><t>${text}</t></is></c>`;

it('how a word is read is left out of a page', async () => {
  const page = '<html><body><p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</ruby>です</p></body></html>';
  expect(await files.textOf('a.html', page)).toBe('漢字です');
});

it('a page in XML may have elements that end with their own tag', async () => {
  const page = '<?xml version="1.0"?>\n<html><head><script src="x"/></head><body><p>Words</p><a id="x"/></body></html>';
  expect(await files.textOf('a.xhtml', page)).toBe('Words');
});

it('the title of a page may stand above its main part, unless that has its own', async () => {
  const page = (own: string): string =>
    `<html><body><header><h1>Title</h1><p>Shop</p></header><main>${own}<h2>Part</h2><p>Words of it</p></main></body></html>`;
  expect(await files.textOf('a.html', page(''))).toBe('Title Part Words of it');
  expect((await files.headingsOf('a.html', page(''))).at(-1)).toEqual(['Title', 'Part']);
  expect(await files.textOf('a.html', page('<h1>Own</h1>'))).toBe('Own Part Words of it');
});

describe('a table', () => {
  const titles = 'Name | City | 2023';

  it('has its titles below what a report says of itself, and years among them', async () => {
    const csv = 'Export of customers\nMade: today\n\nName,City,2023\nAnn,Rome,12\n';
    expect(await files.headingsOf('a.csv', csv)).toEqual([[titles]]);
    const row = (at: number, ...cells: string[]): string =>
      `<row>${cells.map((cell, column) => inline(`${'ABC'[column]}${at}`, cell)).join('')}</row>`;
    const book = xlsxOf(row(1, 'Customers') + row(3, 'Name', 'City', '2023') + row(4, 'Ann', 'Rome', '12'));
    expect(await files.headingsOf('a.xlsx', book)).toEqual([['Data', titles]]);
  });

  it('may have tildes between its cells', async () => {
    expect(await files.textOf('a.csv', 'name~city\nAnn~Rome\n')).toBe('name | city Ann | Rome');
  });

  it('may have carets between its cells', async () => {
    expect(await files.textOf('a.csv', 'id^name^city\n1^Ann, B.^Rome\n2^Bob^Oslo\n')).toBe(
      'id | name | city 1 | Ann, B. | Rome 2 | Bob | Oslo',
    );
  });

  it('may have spaces behind what parts its cells, and one column of sentences with commas', async () => {
    expect(await files.textOf('a.csv', 'name, note\nAnn, "a, b"\nBob, c\n')).toBe('name | note Ann | a, b Bob | c');
    const remarks = 'Remark\nGood, but slow\n"Fine, too"\nNothing\nWell\n';
    expect(await files.linesOf('a.csv', remarks)).toEqual([
      'Remark',
      'Good, but slow',
      'Fine, too',
      'Nothing',
      'Well',
      '',
      '',
    ]);
  });

  it('has all of a long cell, and all of its rows when quotation marks far from one another do not pair', async () => {
    const long = Array.from({ length: 10_000 }, (_, word) => `word${word}`).join(' ');
    expect(await files.textOf('a.csv', `id,text\n1,"${long}"\n`)).toBe(`id | text 1 | ${long}`);
    const inches = (row: number): string => (row === 1_000 || row === 39_000 ? `"${row} inch` : `pipe ${row} of many`);
    const rows = Array.from({ length: 40_000 }, (_, row) => `${row},${inches(row)},in the store\n`).join('');
    const text = await files.textOf('a.csv', rows);
    expect(text).toContain('1000 | "1000 inch | in the store 1001 | pipe 1001');
    expect(text).toMatch(/39999 \| pipe 39999 of many \| in the store$/);
  });

  it('may say in its first line what parts its cells', async () => {
    expect(await files.textOf('a.csv', '\ufeffsep=;\r\nname;note\r\nAnn;a, b\r\n')).toBe('name | note Ann | a, b');
  });
});

it('a page that stands in a form is read', async () => {
  const page = '<html><body><form id="all"><p>Words of the page</p><button>Send</button></form></body></html>';
  expect(await files.textOf('a.html', page)).toBe('Words of the page');
});

it('items of a page have the numbers that it shows, and pictures what is said of them', async () => {
  const list = '<ol start="3"><li>three<ul><li>dash</li></ul></li><li value="9">nine</li><li>ten</li></ol>';
  const pictures = '<p>See <img alt="logo"><img alt="A pump with two valves"> below</p>';
  expect(await files.textOf('a.html', `<html><body>${list}${pictures}</body></html>`)).toBe(
    '3. three - dash 9. nine 10. ten See below A pump with two valves',
  );
});

it('a page keeps its warnings, its formulas, and headings that are buttons', async () => {
  const page =
    '<h2><button>What is it?</button></h2><p>A mill.</p><div role="alert">Keep out</div>' +
    '<p>So <math><semantics><mi>a</mi><mo>=</mo><mi>b</mi><annotation>\\a</annotation></semantics></math>.</p><button>Send</button>';
  expect(await files.textOf('a.html', `<html><body>${page}</body></html>`)).toBe(
    'What is it? A mill. Keep out So a=b.',
  );
});

it('a log has its words without the colours of the terminal', async () => {
  const log = '\u001b[31mERROR\u001b[0m no \u001b[1mroute\u001b[22m\n\u001b]0;host\u0007$ exit\n';
  expect(await files.textOf('a.log', log)).toBe('ERROR no route $ exit');
});

it('headings of a page have no sign of the link to themselves', async () => {
  const page =
    '<html><body><h1>Guide <a class="headerlink" href="https://example.org/a.html#guide">¶</a></h1><p>Words</p>' +
    '<h2><a href="#c">#</a> C#</h2><p>More</p><h3><a href="#d">Details</a></h3><p>Last</p><dialog>Closed</dialog></body></html>';
  expect(await files.headingsOf('a.html', page)).toEqual([['Guide'], ['Guide', 'C#'], ['Guide', 'C#', 'Details']]);
  expect(await files.textOf('a.html', page)).toBe('Guide Words C# More Details Last');
});

it('headings of Markdown have no signs of it, and settings in TOML are none', async () => {
  const text =
    '+++\n# a remark\n+++\n# The `run` of __init__ {#the-run}\n## A ~~b~~ _c_ my_var_name\n### Cost in \\* and C\\#\nwords';
  expect(await files.headingsOf('a.md', text)).toEqual([
    [],
    ['The run of init'],
    ['The run of init', 'A b c my_var_name'],
    ['The run of init', 'A b c my_var_name', 'Cost in * and C#'],
  ]);
});

it('Markdown may begin with a rule', async () => {
  const file = '---\n\nNote: one\n\n# First\nwords\n\n---\n\n# Second\nmore';
  expect(await files.headingsOf('a.md', file)).toEqual([[], ['First'], ['Second']]);
  expect(await files.headingsOf('a.md', '---\n# First\nwords\n\n# Second\nmore')).toEqual([[], ['First'], ['Second']]);
  expect(await files.headingsOf('a.md', '---\nNote: one\n# First\nNote: two')).toEqual([[], ['First']]);
});

it('a file whose content is not what its name says is told so', async () => {
  await expect(files.textOf('zeros.txt', Buffer.alloc(4_096))).rejects.toMatchObject({
    code: 'unknown_type',
    message: expect.stringMatching(/^The file is named .txt, but its content is not of that kind/),
  });
  await expect(files.textOf('zeros.bin', Buffer.alloc(4_096))).rejects.toMatchObject({
    message: expect.stringMatching(/^Files of this kind cannot be read/),
  });
});

it.each([
  [
    'a message of Outlook',
    Buffer.concat([
      Buffer.from('d0cf11e0a1b11ae1', 'hex'),
      Buffer.alloc(600),
      Buffer.from('__substg1.0_0037', 'utf16le'),
    ]),
    /^Outlook messages .* Save it as \.eml/,
  ],
  [
    'a template of OpenDocument',
    zipOf([{ name: 'mimetype', content: 'application/vnd.oasis.opendocument.text-template', stored: true }]),
    /^OpenDocument texts .* Save it as \.docx/,
  ],
  ['a PDF without pages', pdfOf([]), /damaged: it has no pages/],
])('of %s people are told what it is', async (_which, content, message) => {
  await expect(files.textOf('a.docx', content)).rejects.toMatchObject({ message: expect.stringMatching(message) });
});
