import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileReader, startFileReader } from '../support/extraction.js';
import { docxOf, pdfOf, pptxOf, relations, xlsxOf, zipOf } from '../support/small-files.js';

let files: FileReader;
beforeAll(async () => {
  files = await startFileReader();
});
afterAll(() => files.close());

const paragraph = (text: string): string => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`;
const document = (body: string): string => `<w:document><w:body>${body}</w:body></w:document>`;
const inline = (reference: string, text: string): string =>
  `<c r="${reference}" t="inlineStr"><is><t>${text}</t></is></c>`;

/** A file whose main part has another name than usual. */
const named = (main: string, content: string | Buffer, more: { name: string; content: string }[] = []): Buffer =>
  zipOf([
    { name: '_rels/.rels', content: relations({ a: ['officeDocument', main] }) },
    { name: main, content },
    ...more,
  ]);

describe('Word', () => {
  it('finds its main part by what refers to it, also in UTF-16', async () => {
    const wide = Buffer.from(`\ufeff${document(paragraph('Wide words'))}`, 'utf16le');
    expect(await files.textOf('a.docx', named('word/document2.xml', wide))).toBe('Wide words');
  });

  it('reads what was inserted and moved in, not what was deleted, moved away or says how a word is read', async () => {
    const run = (text: string, tag = 't'): string => `<w:r><w:${tag}>${text}</w:${tag}></w:r>`;
    const body =
      `<w:p>${run('Kept ')}<w:ins>${run('inserted')}</w:ins><w:del>${run('deleted', 'delText')}</w:del></w:p>` +
      `<w:p><w:moveFrom>${run('moved')}</w:moveFrom></w:p><w:p><w:moveTo>${run('arrived')}</w:moveTo></w:p>` +
      `<w:p><w:r><w:ruby><w:rt>${run('とう')}</w:rt><w:rubyBase>${run('塔')}</w:rubyBase></w:ruby></w:r></w:p>`;
    expect(await files.textOf('a.docx', named('word/document.xml', document(body)))).toBe('Kept inserted arrived 塔');
  });

  it('reads headers and footers once, after all else', async () => {
    const margins = {
      h: ['header', 'header1.xml'],
      i: ['header', 'header2.xml'],
      f: ['footer', 'footer1.xml'],
    } as const;
    const file = named('word/document.xml', document(paragraph('Body')), [
      { name: 'word/_rels/document.xml.rels', content: relations(margins) },
      { name: 'word/header1.xml', content: `<w:hdr>${paragraph('Contract 77')}</w:hdr>` },
      { name: 'word/header2.xml', content: `<w:hdr>${paragraph('Contract 77')}</w:hdr>` },
      { name: 'word/footer1.xml', content: `<w:ftr>${paragraph('Confidential')}</w:ftr>` },
    ]);
    expect(await files.textOf('a.docx', file)).toBe('Body Contract 77 Confidential');
  });

  it('has what stands at its end under no heading', async () => {
    const heading = '<w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:r><w:t>Last chapter</w:t></w:r></w:p>';
    const file = docxOf(heading + paragraph('Body'), { footnotes: `<w:footnote>${paragraph('A note')}</w:footnote>` });
    expect(await files.textOf('a.docx', file)).toBe('Last chapter Body A note');
    expect(await files.headingsOf('a.docx', file)).toEqual([['Last chapter'], []]);
  });

  it('reads comments, and the titles and values of charts', async () => {
    const file = named('word/document.xml', document(paragraph('Body')), [
      {
        name: 'word/_rels/document.xml.rels',
        content: relations({ a: ['comments', 'comments.xml'], b: ['chart', 'charts/chart1.xml'] }),
      },
      { name: 'word/comments.xml', content: `<w:comments><w:comment>${paragraph('Why so?')}</w:comment></w:comments>` },
      { name: 'word/charts/chart1.xml', content: chart },
    ]);
    expect(await files.textOf('a.docx', file)).toBe('Body Sales by year | North 2024 | 12 2025 | 15 Why so?');
  });
});

const cached = (tag: string, values: string[]): string =>
  `<c:${tag}><c:cache>${values.map((value, at) => `<c:pt idx="${at}"><c:v>${value}</c:v></c:pt>`).join('')}</c:cache></c:${tag}>`;
const chart =
  '<c:chartSpace><c:chart><c:title><a:p><a:r><a:t>Sales</a:t></a:r><a:r><a:t> by year</a:t></a:r></a:p></c:title><c:ser>' +
  `${cached('tx', ['North'])}${cached('cat', ['2024', '2025'])}${cached('val', ['12', '15'])}</c:ser></c:chart></c:chartSpace>`;

it('PowerPoint: a title of two lines is one heading', async () => {
  const title =
    '<p:sp><p:nvPr><p:ph type="title"/></p:nvPr><a:p><a:r><a:t>Sales</a:t></a:r><a:br/><a:r><a:t>and costs</a:t></a:r></a:p></p:sp>';
  expect(await files.headingsOf('a.pptx', pptxOf([title], ''))).toEqual([['Sales and costs']]);
});

it('PowerPoint: charts and comments are of their slide', async () => {
  const file = named(
    'ppt/presentation.xml',
    '<p:presentation><p:sldIdLst><p:sldId id="256" r:id="a"/></p:sldIdLst></p:presentation>',
    [
      { name: 'ppt/_rels/presentation.xml.rels', content: relations({ a: ['slide', 'slides/slide1.xml'] }) },
      { name: 'ppt/slides/slide1.xml', content: '<p:sld/>' },
      {
        name: 'ppt/slides/_rels/slide1.xml.rels',
        content: relations({ a: ['chart', '../charts/chart1.xml'], b: ['comments', '../comments/comment1.xml'] }),
      },
      { name: 'ppt/charts/chart1.xml', content: chart },
      { name: 'ppt/comments/comment1.xml', content: '<p:cmLst><p:cm><p:text>Too small</p:text></p:cm></p:cmLst>' },
    ],
  );
  expect(await files.textOf('a.pptx', file)).toBe('Sales by year | North 2024 | 12 2025 | 15 Comments: Too small');
});

describe('Excel', () => {
  it('shows numbers as their cells do, and formulas that nobody has worked out', async () => {
    const formats = [
      '<numFmt numFmtId="164" formatCode="0.0%"/>',
      '<numFmt numFmtId="165" formatCode="[h]:mm"/>',
      '<numFmt numFmtId="166" formatCode="&quot;Days: &quot;0"/>',
    ];
    const styles = [9, 164, 165, 46, 166, 20].map((id) => `<xf numFmtId="${id}"/>`).join('');
    const cells = [0.5, 0.256, 1.25, 2, 3, 0.75].map((value, style) => `<c s="${style}"><v>${value}</v></c>`).join('');
    const file = xlsxOf(`<row>${cells}<c><f>A1*2</f></c><c><f>A1</f><v>7</v></c></row>`, {
      styles: `<numFmts>${formats.join('')}</numFmts><cellXfs>${styles}</cellXfs>`,
    });
    expect(await files.textOf('a.xlsx', file)).toBe(
      '50% | 25.6% | 30:00:00 | 48:00:00 | Days: 3 | 18:00:00 | =A1*2 | 7',
    );
  });

  it('reads a time of a day as one where days are counted from 1904', async () => {
    const file = named(
      'xl/workbook.xml',
      '<workbook><workbookPr date1904="1"/><sheets><sheet name="S" sheetId="1" r:id="a"/></sheets></workbook>',
      [
        {
          name: 'xl/_rels/workbook.xml.rels',
          content: relations({ a: ['worksheet', 'worksheets/one.xml'], b: ['styles', 'styles.xml'] }),
        },
        { name: 'xl/styles.xml', content: '<styleSheet><cellXfs><xf numFmtId="20"/></cellXfs></styleSheet>' },
        {
          name: 'xl/worksheets/one.xml',
          content: '<worksheet><row><c s="0"><v>0.75</v></c><c s="0"><v>43891</v></c></row></worksheet>',
        },
      ],
    );
    expect(await files.textOf('a.xlsx', file)).toBe('18:00:00 | 2024-03-02');
  });

  it('reads comments, texts in boxes and titles of charts after the cells of their sheet, and those of sheets of charts', async () => {
    const file = named(
      'xl/workbook.xml',
      '<workbook><sheets><sheet name="S" sheetId="1" r:id="a"/><sheet name="C" sheetId="2" r:id="b"/></sheets></workbook>',
      [
        {
          name: 'xl/_rels/workbook.xml.rels',
          content: relations({ a: ['worksheet', 'worksheets/one.xml'], b: ['chartsheet', 'chartsheets/two.xml'] }),
        },
        { name: 'xl/chartsheets/two.xml', content: '<chartsheet><drawing r:id="b"/></chartsheet>' },
        {
          name: 'xl/chartsheets/_rels/two.xml.rels',
          content: relations({ b: ['drawing', '../drawings/drawing1.xml'] }),
        },
        { name: 'xl/worksheets/one.xml', content: `<worksheet><row>${inline('A1', 'cell')}</row></worksheet>` },
        {
          name: 'xl/worksheets/_rels/one.xml.rels',
          content: relations({ a: ['comments', '../comments1.xml'], b: ['drawing', '../drawings/drawing1.xml'] }),
        },
        {
          name: 'xl/comments1.xml',
          content:
            '<comments><comment ref="A1"><text><r><t>Check </t></r><r><t>this</t></r></text></comment></comments>',
        },
        {
          name: 'xl/drawings/drawing1.xml',
          content:
            '<xdr:wsDr><xdr:sp><xdr:txBody><a:p><a:r><a:t>In a box</a:t></a:r></a:p></xdr:txBody></xdr:sp><mc:Fallback><a:p><a:r><a:t>Cannot be shown</a:t></a:r></a:p></mc:Fallback></xdr:wsDr>',
        },
        { name: 'xl/drawings/_rels/drawing1.xml.rels', content: relations({ a: ['chart', '../charts/chart1.xml'] }) },
        { name: 'xl/charts/chart1.xml', content: chart },
      ],
    );
    expect(await files.textOf('a.xlsx', file)).toBe(
      'cell A1: Check this In a box Sales by year In a box Sales by year',
    );
    expect(await files.headingsOf('a.xlsx', file)).toEqual([['S'], ['S'], ['C']]);
  });

  it('leaves out most of what is empty between cells that are far apart', async () => {
    const text = await files.textOf('a.xlsx', xlsxOf(`<row>${inline('A1', 'left')}${inline('XFD1', 'right')}</row>`));
    expect(text).toMatch(/^left [| ]+ right$/);
    expect(text.length).toBeLessThan(100);
  });

  it('takes references with any prefix, and says how a binary workbook can be read', async () => {
    const file = named(
      'xl/workbook.xml',
      '<workbook><sheets><sheet name="S" sheetId="1" rel:id="a"/></sheets></workbook>',
      [
        { name: 'xl/_rels/workbook.xml.rels', content: relations({ a: ['worksheet', 'worksheets/one.xml'] }) },
        { name: 'xl/worksheets/one.xml', content: `<worksheet><row>${inline('A1', 'found')}</row></worksheet>` },
      ],
    );
    expect(await files.textOf('a.xlsx', file)).toBe('found');
    const binary = zipOf([{ name: 'xl/workbook.bin', content: 'x' }]);
    await expect(files.textOf('a.xlsb', binary)).rejects.toMatchObject({
      code: 'unknown_type',
      message: expect.stringContaining('.xlsx'),
    });
  });
});

describe('an archive', () => {
  const paragraphs = (count: number): string => document(`${paragraph('Start')}${'<w:p/>'.repeat(count)}`);

  it('that unpacks to far more than office files do is not unpacked', async () => {
    const bomb = named('word/document.xml', paragraphs(12_000_000));
    expect(bomb.length).toBeLessThan(200_000);
    await expect(files.textOf('bomb.docx', bomb)).rejects.toMatchObject({ code: 'too_large' });
    expect(await files.textOf('blank.docx', named('word/document.xml', paragraphs(100_000)))).toBe('Start');
  });

  it.each([
    ['application/vnd.oasis.opendocument.text', '.docx'],
    ['application/vnd.oasis.opendocument.spreadsheet', '.xlsx'],
    ['application/epub+zip', '.epub'],
    ['text/of-no-known-kind', 'Unpack'],
  ])('of the kind %s says what to do with it', async (mediaType, advice) => {
    const file = zipOf([{ name: 'mimetype', content: mediaType, stored: true }]);
    await expect(files.textOf('a.zip', file)).rejects.toMatchObject({
      code: 'unknown_type',
      message: expect.stringContaining(advice),
    });
  });
});

it('PDF: what was filled into its fields and noted on it is read, and what is hidden or not ticked is not', async () => {
  const field = (type: string, name: string, more: string): string =>
    `<< /Type /Annot /Subtype /Widget /Rect [0 0 9 9] /FT /${type} /T (${name}) ${more} >>`;
  const file = pdfOf(
    ['Form', 'Last page'],
    [],
    [
      field('Tx', 'Surname', '/V (Quollman)'),
      field('Tx', 'Empty', ''),
      field('Tx', 'Pin', '/V (1234) /Ff 8192'),
      field('Tx', 'Secret', '/V (hidden) /F 2'),
      field('Btn', 'Agree', '/V /Off /AS /Off'),
      '<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (Please check) >>',
      '<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /Contents (Link to it) >>',
      '<< /Type /Annot /Subtype /FreeText /Rect [0 0 9 9] /Contents (Written on it) /DA (/Helv 9 Tf) >>',
    ],
  );
  expect(await files.textOf('form.pdf', file)).toBe('Form Please check Written on it Surname: Quollman Last page');
});
