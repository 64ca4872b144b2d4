import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileReader, startFileReader } from '../support/extraction.js';
import { relations, xlsxOf, zipOf } from '../support/small-files.js';

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
});

describe('Excel', () => {
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

it('a page that stands in a form is read', async () => {
  const page = '<html><body><form id="all"><p>Words of the page</p><button>Send</button></form></body></html>';
  expect(await files.textOf('a.html', page)).toBe('Words of the page');
});
