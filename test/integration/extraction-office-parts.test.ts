import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileReader, startFileReader } from '../support/extraction.js';
import { docxOf, relations, xlsxOf, zipOf } from '../support/small-files.js';

let files: FileReader;
beforeAll(async () => {
  files = await startFileReader();
});
afterAll(() => files.close());

const book = xlsxOf('<row><c r="A1" t="inlineStr"><is><t>a cell</t></is></c></row>');
const letter = docxOf('<w:p><w:r><w:t>a letter</w:t></w:r></w:p>');

/** A workbook that names these as the parts of its only sheet and of its texts. */
const workbook = (
  { sheet, strings }: { sheet: string; strings: string },
  more: { name: string; content: string | Buffer }[],
): Buffer =>
  zipOf([
    {
      name: 'xl/workbook.xml',
      content: '<workbook><sheets><sheet name="S" sheetId="1" r:id="a"/></sheets></workbook>',
    },
    {
      name: 'xl/_rels/workbook.xml.rels',
      content: relations({ a: ['worksheet', sheet], b: ['sharedStrings', strings] }),
    },
    ...more,
  ]);

describe('what is embedded', () => {
  it('in a text is read where it is a file of a newer program, and else is said not to be', async () => {
    const object = (program: string, id: string): string =>
      `<w:object><o:OLEObject Type="Embed" ProgID="${program}" r:id="${id}"/></w:object>`;
    const objects = [
      object('Excel.Sheet.12', 'a'),
      object('Visio.Drawing.15', 'b'),
      object('Visio.Drawing.15', 'c'),
      object('Equation.3', 'd'),
    ];
    const file = zipOf([
      {
        name: 'word/document.xml',
        content: `<w:document><w:p><w:r><w:t>Plan</w:t>${objects.join('')}</w:r></w:p></w:document>`,
      },
      {
        name: 'word/_rels/document.xml.rels',
        content: relations({
          a: ['package', 'embeddings/Sheet1.xlsx'],
          b: ['oleObject', 'embeddings/oleObject1.bin'],
          c: ['oleObject', 'embeddings/oleObject2.bin'],
          d: ['oleObject', 'embeddings/oleObject3.bin'],
        }),
      },
      { name: 'word/embeddings/Sheet1.xlsx', content: book },
    ]);
    expect(await files.textOf('a.docx', file)).toBe('Plan a cell An embedded object (Visio.Drawing.15) was not read.');
    expect(await files.headingsOf('a.docx', file)).toEqual([[], ['Sheet1.xlsx', 'Data'], []]);
  });

  it('in slides is of its slide', async () => {
    const title = (text: string): string =>
      `<p:sp><p:nvPr><p:ph type="title"/></p:nvPr><a:p><a:r><a:t>${text}</a:t></a:r></a:p></p:sp>`;
    const object = (program: string, id: string): string =>
      `<mc:Choice><p:oleObj progId="${program}" r:id="${id}"/></mc:Choice><mc:Fallback><p:oleObj progId="${program}" r:id="${id}"/></mc:Fallback>`;
    const slide = (shapes: string): string => `<p:sld>${shapes}</p:sld>`;
    const file = zipOf([
      {
        name: 'ppt/presentation.xml',
        content: '<p:presentation><p:sldId r:id="a"/><p:sldId r:id="b"/></p:presentation>',
      },
      {
        name: 'ppt/_rels/presentation.xml.rels',
        content: relations({ a: ['slide', 'slides/slide1.xml'], b: ['slide', 'slides/slide2.xml'] }),
      },
      {
        name: 'ppt/slides/slide1.xml',
        content: slide(title('Costs') + object('Excel.Sheet.12', 'a') + object('Word.Document.8', 'b')),
      },
      { name: 'ppt/slides/slide2.xml', content: slide(title('End')) },
      {
        name: 'ppt/slides/_rels/slide1.xml.rels',
        content: relations({
          a: ['package', '../embeddings/Sheet1.xlsx'],
          b: ['oleObject', '../embeddings/oleObject1.bin'],
        }),
      },
      { name: 'ppt/embeddings/Sheet1.xlsx', content: book },
      { name: 'ppt/embeddings/oleObject1.bin', content: 'x' },
    ]);
    const parts = await files.partsOf('a.pptx', file);
    expect(parts.map(({ slide, sheet, headingPath, text }) => [slide ?? sheet, headingPath, text.trim()])).toEqual([
      [1, ['Costs'], 'Costs'],
      [1, ['Costs', 'Sheet1.xlsx', 'Data'], 'a cell'],
      [1, ['Costs'], 'An embedded object (Word.Document.8) was not read.'],
      [2, ['End'], 'End'],
    ]);
  });

  it('in a workbook is of its sheet', async () => {
    const file = workbook({ sheet: 'worksheets/one.xml', strings: 'none.xml' }, [
      {
        name: 'xl/worksheets/one.xml',
        content:
          '<worksheet><row><c><v>7</v></c></row><oleObject progId="Word.Document.12" r:id="a"/>' +
          '<oleObject progId="Package" r:id="b"/><oleObject progId="Linked" link="[1]!x"/></worksheet>',
      },
      {
        name: 'xl/worksheets/_rels/one.xml.rels',
        content: relations({
          a: ['package', '../embeddings/Letter.docx'],
          b: ['oleObject', '../embeddings/oleObject1.bin'],
        }),
      },
      { name: 'xl/embeddings/Letter.docx', content: letter },
    ]);
    const parts = await files.partsOf('a.xlsx', file);
    expect(parts.map(({ sheet, headingPath, text }) => [sheet, headingPath, text.trim()])).toEqual([
      ['S', ['S'], '7'],
      ['S', ['S', 'Letter.docx'], 'a letter'],
      ['S', ['S'], 'An embedded object (Package) was not read.'],
    ]);
  });
});

describe('parts of a workbook', () => {
  const sheet = '<worksheet><row><c t="s"><v>0</v></c><c t="str"><v>b_x000D_</v></c></row></worksheet>';
  const strings = '<sst><si><t>a_x0009__x00E9_</t></si></sst>';

  it('may be in any folder, and be named in capital letters elsewhere', async () => {
    const file = workbook({ sheet: 'Tables/One.xml', strings: 'SharedStrings.xml' }, [
      { name: 'xl/tables/one.xml', content: sheet },
      { name: 'xl/sharedStrings.xml', content: strings },
    ]);
    expect(await files.textOf('a.xlsx', file)).toBe('a é | b');
  });
});
