// Long: one list of the kinds of files, each with what must be found in it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExtractionFailed, FailureCode } from '../../shared/knowledge/extraction/failure.js';
import { createExtractor, type Extraction } from '../../shared/knowledge/extraction/extract.js';
import type { ExtractedPart } from '../../shared/knowledge/extraction/part.js';
import { problemOf, readSamples } from '../bench/files/samples.js';
import { docxOf, pdfOf, pptxOf, xlsxOf, zipOf } from '../support/small-files.js';

const extractor = createExtractor();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'millrace-extraction-'));
});

afterAll(async () => {
  extractor.close();
  await rm(folder, { recursive: true, force: true });
});

type Settings = Omit<Extraction, 'path' | 'name'>;

async function read(name: string, content: string | Buffer, settings: Settings = {}): Promise<ExtractedPart[]> {
  const file = path.join(folder, name);
  await writeFile(file, content);
  return partsOf({ path: file, name, ...settings });
}

async function partsOf(extraction: Extraction): Promise<ExtractedPart[]> {
  const parts: ExtractedPart[] = [];
  for await (const part of extractor.extract(extraction)) parts.push(part);
  return parts;
}

const textOf = (parts: ExtractedPart[]): string => parts.map(({ text }) => text).join('');

async function failureOf(name: string, content: string | Buffer, settings: Settings = {}): Promise<FailureCode> {
  const error = await read(name, content, settings).then(
    () => undefined,
    (thrown: unknown) => thrown as ExtractionFailed,
  );
  expect(error).toMatchObject({
    name: 'ExtractionFailed',
    transient: false,
    message: expect.stringMatching(/^\S.*\.$/),
  });
  return error?.code ?? 'damaged';
}

const paragraph = (text: string, style = ''): string =>
  `<w:p><w:pPr>${style && `<w:pStyle w:val="${style}"/>`}</w:pPr><w:r><w:t>${text}</w:t></w:r></w:p>`;

describe('what is read', () => {
  it('PDF: page by page, without words parted at line ends', async () => {
    const types: unknown[] = [];
    const parts = await read('a.pdf', pdfOf(['First page', '', 'Third page']), {
      onType: (type, pages) => types.push([type, pages]),
    });
    expect(parts.map(({ page, text }) => [page, text.trim()])).toEqual([
      [1, 'First page'],
      [3, 'Third page'],
    ]);
    expect(types).toEqual([
      ['pdf', undefined],
      ['pdf', 3],
    ]);
  });

  it('DOCX: headings, tables with merged cells, lists, text boxes once, and footnotes', async () => {
    const cell = (text: string, properties = ''): string =>
      `<w:tc><w:tcPr>${properties}</w:tcPr>${paragraph(text)}</w:tc>`;
    const box = `<w:txbxContent>${paragraph('In the box')}</w:txbxContent>`;
    const body = [
      paragraph('Report', 'Titel'),
      paragraph('Results', 'berschrift1'),
      `<w:p><w:r><w:t>We won</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t>.</w:t></w:r></w:p>`,
      `<w:tbl><w:tr>${cell('Year')}${cell('Both halves', '<w:gridSpan w:val="2"/>')}${cell('Sum')}</w:tr></w:tbl>`,
      `<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>an item</w:t></w:r></w:p>`,
      `<w:p><w:r><mc:AlternateContent><mc:Choice>${box}</mc:Choice><mc:Fallback>${box}</mc:Fallback></mc:AlternateContent></w:r></w:p>`,
    ];
    const style = (id: string, name: string): string =>
      `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${name}"/></w:style>`;
    const parts = await read(
      'a.docx',
      docxOf(body.join(''), {
        styles: style('Titel', 'Title') + style('berschrift1', 'heading 1'),
        footnotes: `<w:footnote w:type="separator"><w:p/></w:footnote><w:footnote w:id="2">${paragraph('By a nose')}</w:footnote>`,
      }),
    );
    expect(parts.map(({ headingPath }) => headingPath)).toEqual([['Report'], ['Report', 'Results'], []]);
    expect(textOf(parts)).toBe(
      'Report\n\nResults\nWe won.\nYear | Both halves |  | Sum\n- an item\nIn the box\n\nBy a nose\n\n',
    );
  });

  it('PPTX: slides in their order, with titles, tables and notes', async () => {
    const shape = (text: string, type: string): string =>
      `<p:sp><p:nvPr><p:ph type="${type}"/></p:nvPr><p:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></p:txBody></p:sp>`;
    const cell = (text: string): string => `<a:tc><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`;
    const parts = await read(
      'a.pptx',
      pptxOf(
        [shape('Welcome', 'title') + shape('7', 'sldNum'), `<a:tbl><a:tr>${cell('Speed')}${cell('12')}</a:tr></a:tbl>`],
        shape('Smile', 'body'),
      ),
    );
    expect(parts).toMatchObject([
      { slide: 1, headingPath: ['Welcome'], text: 'Welcome\nNotes:\nSmile\n\n' },
      { slide: 2, headingPath: [], text: 'Speed | 12\n\n' },
    ]);
  });

  it('XLSX: rows with shared and inline texts, dates, and cells at their columns', async () => {
    const parts = await read(
      'a.xlsx',
      xlsxOf(
        '<row><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>When</t></is></c></row>' +
          '<row><c r="A2"><v>0.10000000000000001</v></c><c r="C2" s="1"><v>45292.5</v></c></row>',
        {
          strings: '<si><r><t>Na</t></r><r><t>me</t></r><rPh><t>yomi</t></rPh></si>',
          styles: '<cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>',
        },
      ),
    );
    expect(parts).toMatchObject([
      { sheet: 'Data', headingPath: ['Data', 'Name | When'], text: 'Name |  | When\n0.1 |  | 2024-01-01 12:00:00\n\n' },
    ]);
  });

  it('CSV: any separator, cells with line ends, a stray quotation mark', async () => {
    expect(textOf(await read('a.csv', 'name;note\nAda;"two\nlines; one cell"\n'))).toBe(
      'name | note\nAda | two lines; one cell\n\n',
    );
    expect(textOf(await read('b.csv', 'size,what\n5" disk,old\n"3,new\n'))).toContain('5" disk | old\n"3 | new');
  });

  it('HTML: the main text with headings and tables, without what surrounds it', async () => {
    const parts = await read(
      'a.html',
      '<!doctype html><title>T</title><style>p{}</style><nav>Menu</nav><main><h1>Ducks</h1><p>A <b>duck</b> &amp; co.' +
        '<script>alert(1)</script><h2>Size</h2><table><tr><th rowspan=2>Mallard<td>50 cm<tr><td>60 cm</table>' +
        `<pre>x\n  y</pre></main><footer>Imprint</footer>`,
    );
    expect(parts.map(({ headingPath, text }) => [headingPath, text])).toEqual([
      [['Ducks'], 'Ducks\nA duck & co.\n\n'],
      [['Ducks', 'Size'], 'Size\nMallard | 50 cm\n | 60 cm\nx\n  y\n\n'],
    ]);
  });

  it('EML: header, text from HTML if need be, names of attachments, and those that are text', async () => {
    const mail = [
      'From: Ada <ada@example.org>',
      'To: bo@example.org',
      'Subject: =?utf-8?q?Caf=C3=A9?=',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Type: text/html',
      '',
      '<p>See the <b>list</b></p>',
      '--x',
      'Content-Type: text/csv',
      'Content-Disposition: attachment; filename=list.csv',
      '',
      'milk,2',
      '--x--',
    ].join('\r\n');
    const text = textOf(await read('a.eml', mail));
    for (const wanted of ['Subject: Café', 'Ada <ada@example.org>', 'See the list', 'list.csv', 'milk | 2']) {
      expect(text).toContain(wanted);
    }
  });
});

describe('what cannot be read', () => {
  const bomb = `<w:document><w:body>${' '.repeat(20_000_000)}</w:body></w:document>`;
  const laughs =
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><w:document><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:document>';

  it.each<[FailureCode, string, string | Buffer, Settings?]>([
    ['empty', 'nothing.txt', ''],
    ['empty', 'blank.md', ' \n\n \t'],
    ['unknown_type', 'random.txt', Buffer.from(Array.from({ length: 512 }, (_, index) => (index * 151) % 256))],
    ['unknown_type', 'zeros.txt', Buffer.alloc(4_096)],
    ['unknown_type', 'archive.docx', zipOf([{ name: 'photo.jpg', content: 'x' }])],
    ['unknown_type', 'old.doc', Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(1_000)])],
    [
      'encrypted',
      'locked.docx',
      Buffer.concat([
        Buffer.from('d0cf11e0a1b11ae1', 'hex'),
        Buffer.alloc(600),
        Buffer.from('EncryptedPackage', 'utf16le'),
      ]),
    ],
    ['encrypted', 'locked.zip', zipOf([{ name: 'word/document.xml', content: 'x', encrypted: true }])],
    ['damaged', 'half.docx', docxOf(paragraph('words')).subarray(0, 300)],
    ['damaged', 'broken.docx', zipOf([{ name: 'word/document.xml', content: '<w:document><w:body>' }])],
    ['damaged', 'half.pdf', pdfOf(['words']).subarray(0, 200)],
    ['damaged', 'laughs.docx', zipOf([{ name: 'word/document.xml', content: laughs }])],
    ['damaged', 'lying.docx', zipOf([{ name: 'word/document.xml', content: bomb, declaredSize: 100 }])],
    ['damaged', 'deep.html', `<html>${'<div>'.repeat(200_000)}`],
    ['no_text', 'scan.pdf', pdfOf(['', ''])],
    ['too_many_pages', 'book.pdf', pdfOf(['a', 'b', 'c']), { limits: { pages: 2 } }],
    [
      'too_large',
      'bomb.docx',
      zipOf([{ name: 'word/document.xml', content: bomb }]),
      { limits: { inflatedBytes: 1e7 } },
    ],
    ['too_large', 'large.txt', 'x'.repeat(2_000), { limits: { fileBytes: 1_000 } }],
    ['too_large', 'long.txt', 'x'.repeat(2_000), { limits: { textChars: 1_000 } }],
  ])('%s: %s', async (code, name, content, settings) => {
    expect(await failureOf(name, content, settings)).toBe(code);
  });

  it('out_of_memory and timeout end the process, and the next file is read', async () => {
    const rows = Array.from({ length: 400_000 }, (_, index) => `<si><t>text number ${index} of many</t></si>`).join('');
    const greedy = xlsxOf('<row><c r="A1" t="s"><v>1</v></c></row>', { strings: rows });
    expect(await failureOf('greedy.xlsx', greedy, { limits: { memoryBytes: 100 * 1024 * 1024 } })).toBe(
      'out_of_memory',
    );
    expect(await failureOf('slow.xlsx', greedy, { limits: { timeMs: 1 } })).toBe('timeout');
    expect(textOf(await read('fine.txt', 'fine'))).toBe('fine\n\n');
  });

  it.each(['processorMs', 'fruitlessMs'] as const)(
    'a file that takes too much of %s ends the process',
    async (limit) => {
      const strings = '<si><t>one of many texts</t></si>'.repeat(300_000);
      const slow = xlsxOf('<row><c r="A1" t="s"><v>1</v></c></row>', { strings });
      expect(await failureOf('slow.xlsx', slow, { limits: { [limit]: 1 } })).toBe('timeout');
    },
  );

  it('a missing file is not the fault of the file', async () => {
    await expect(partsOf({ path: path.join(folder, 'none') })).rejects.not.toHaveProperty('transient', false);
  });
});

describe('the outline of a PDF', () => {
  it('gives the headings, from where they stand on', async () => {
    const outline = [
      { title: 'Two of (them)', page: 1 },
      { title: 'Lost', page: 1 },
      { title: 'Scanned', page: 2 },
    ].map(({ title, page }) => ({ title: title.replaceAll(/[()]/g, String.raw`\$&`), page }));
    const texts = [
      'one',
      String.raw`before\n1.2 Two of \(them\)\nafter`.replaceAll(String.raw`\n`, '\n'),
      'scan',
      'four',
    ];
    const parts = await read('outline.pdf', pdfOf(texts, outline));
    expect(parts.map(({ page, headingPath, text }) => [page, headingPath, text.trim()])).toEqual([
      [1, [], 'one'],
      [2, [], 'before'],
      [2, ['Two of (them)'], '1.2 Two of (them)\nafter'],
      [3, ['Scanned'], 'scan'],
      [4, ['Scanned'], 'four'],
    ]);
  });
});

describe('reading', () => {
  it('goes on at a page, and at a part of a file without pages', async () => {
    const book = pdfOf(['one', 'before\ntwo\nafter', '', 'four'], [{ title: 'two', page: 1 }]);
    const pages = await read('resume.pdf', book);
    // A page is read as a whole: between its sections reading cannot begin again.
    expect(pages.map(({ resume }) => resume?.page)).toEqual([2, undefined, 3, 5]);
    for (const [index, { resume }] of pages.entries()) {
      if (resume) expect(await read('resume.pdf', book, { from: resume })).toEqual(pages.slice(index + 1));
    }
    const text = 'Some words of a long text.\n'.repeat(10_000);
    const parts = await read('resume.txt', text);
    expect(parts.length).toBeGreaterThan(3);
    for (const [index, part] of parts.entries()) {
      expect(await read('resume.txt', text, { from: part.resume })).toEqual(parts.slice(index + 1));
    }
  });

  it('ends when it is aborted, with the reason that was given', async () => {
    const control = new AbortController();
    const reason = new Error('told to stop');
    const file = path.join(folder, 'aborted.txt');
    await writeFile(file, 'Some words of a long text.\n'.repeat(100_000));
    const parts = extractor.extract({ path: file, signal: control.signal });
    await parts.next();
    control.abort(reason);
    await expect(parts.next()).rejects.toBe(reason);
  });

  it('does not run ahead of a slow reader', { timeout: 60_000 }, async () => {
    const file = path.join(folder, 'large.txt');
    await writeFile(file, 'A line of a text that is very long indeed.\n'.repeat(700_000));
    const before = process.memoryUsage.rss();
    let chars = 0;
    let peak = 0;
    for await (const part of extractor.extract({ path: file })) {
      chars += part.text.length;
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    expect(chars).toBeGreaterThan(30_000_000);
    expect(peak - before).toBeLessThan(150 * 1024 * 1024);
  });
});

/** A folder with `manifest.jsonl`: one line for each file, and what must be found in it. */
const samples = process.env.MILLRACE_DOCS_DIR;

describe.runIf(samples)('the sample files', async () => {
  it.each(samples ? await readSamples(samples) : [])('$file', async (sample) => {
    const reading = partsOf({ path: path.join(samples ?? '', sample.file), name: path.basename(sample.file) });
    const ending = await reading.then(
      (parts) => ({ state: 'ready', error: null, text: textOf(parts) }),
      (error: ExtractionFailed) => ({ state: 'failed', error, text: '' }),
    );
    expect(problemOf(sample, ending)).toBeNull();
  });
});
