import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileReader, startFileReader } from '../support/extraction.js';
import { docxOf, relations, zipOf } from '../support/small-files.js';

let files: FileReader;
beforeAll(async () => {
  files = await startFileReader();
});
afterAll(() => files.close());

describe('of a Word file one', () => {
  it('reads what is said of pictures, and nothing that is hidden', async () => {
    const hidden = (value: string): string => `<w:r><w:rPr><w:vanish${value}/></w:rPr><w:t>secret</w:t></w:r>`;
    const picture = (said: string): string => `<w:r><w:drawing><wp:docPr id="1" descr="${said}"/></w:drawing></w:r>`;
    const mark = '<w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>';
    const body =
      `<w:p>${mark}<w:r><w:t>Seen </w:t></w:r>${hidden('')}</w:p><w:p>${hidden(' w:val="0"').replace('secret', 'shown')}</w:p>` +
      `<w:p>${picture('image1.png')}${picture('A pump with two valves&#10;&#10;Description automatically generated')}</w:p>`;
    expect(await files.textOf('a.docx', docxOf(body))).toBe('Seen shown A pump with two valves');
  });

  it('reads the numbers that it shows before clauses and items, and has headings without them', async () => {
    const level = (at: number, format: string, text: string, more = ''): string =>
      `<w:lvl w:ilvl="${at}"><w:start w:val="1"/><w:numFmt w:val="${format}"/>${more}<w:lvlText w:val="${text}"/></w:lvl>`;
    const numbering =
      `<w:abstractNum w:abstractNumId="0">${level(0, 'decimal', '%1.', '<w:pStyle w:val="H1"/>')}${level(1, 'decimal', '%1.%2')}${level(2, 'lowerRoman', '(%3)')}</w:abstractNum>` +
      `<w:abstractNum w:abstractNumId="1">${level(0, 'bullet', 'o')}</w:abstractNum>` +
      '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>' +
      '<w:num w:numId="3"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num>';
    const styles =
      '<w:style w:styleId="H1"><w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>' +
      '<w:style w:styleId="H1b"><w:basedOn w:val="H1"/></w:style>';
    const styled = (style: string, text: string): string =>
      `<w:p><w:pPr><w:pStyle w:val="${style}"/></w:pPr><w:r><w:t>${text}</w:t></w:r></w:p>`;
    const item = (list: number, at: number, text: string): string =>
      `<w:p><w:pPr><w:numPr><w:ilvl w:val="${at}"/><w:numId w:val="${list}"/></w:numPr><w:pPrChange><w:pPr><w:numPr><w:numId w:val="2"/></w:numPr></w:pPr></w:pPrChange></w:pPr><w:r><w:t>${text}</w:t></w:r></w:p>`;
    const body =
      styled('H1', 'Parties') +
      item(1, 1, 'seller') +
      item(1, 1, 'buyer') +
      styled('H1b', 'Price') +
      item(1, 1, 'net') +
      item(1, 2, 'of tax') +
      item(2, 0, 'point') +
      item(0, 0, 'plain') +
      item(3, 0, 'anew');
    const file = docxOf(body, { styles, numbering });
    expect(await files.textOf('a.docx', file)).toBe(
      '1. Parties 1.1 seller 1.2 buyer 2. Price 2.1 net (i) of tax - point plain 7. anew',
    );
    expect(await files.headingsOf('a.docx', file)).toEqual([['Parties'], ['Price']]);
  });

  it('reads symbols that it names by their font, and fractions', async () => {
    const symbol = (font: string, place: string): string => `<w:r><w:sym w:font="${font}" w:char="${place}"/></w:r>`;
    const run = (text: string): string => `<w:r><w:t xml:space="preserve">${text}</w:t></w:r>`;
    const part = (tag: string, text: string): string => `<m:${tag}><m:r><m:t>${text}</m:t></m:r></m:${tag}>`;
    const body =
      `<w:p>${run('20 ')}${symbol('Symbol', 'F0B0')}${run('C, ')}${symbol('Symbol', 'F06D')}${run('m ')}${symbol('Wingdings', 'F0FE')}${symbol('Webdings', 'F0FE')}</w:p>` +
      `<w:p>${run('rate ')}<m:oMath><m:f>${part('num', 'a')}${part('den', 'b')}</m:f></m:oMath></w:p>`;
    expect(await files.textOf('a.docx', docxOf(body))).toBe('20 °C, μm ☑ rate a/b');
  });

  it('reads diagrams, and files that it takes over whole', async () => {
    const parts = { a: ['aFChunk', 'chunk.mht'], b: ['diagramData', 'diagrams/data1.xml'] } as const;
    const page =
      'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="x"\n\n--x\nContent-Type: text/html; charset=utf-8\n' +
      'Content-Transfer-Encoding: quoted-printable\n\n<html><body><p>Caf=C3=A9</p></body></html>\n--x--\n';
    const file = zipOf([
      { name: 'word/document.xml', content: '<w:document><w:body><w:altChunk r:id="a"/></w:body></w:document>' },
      { name: 'word/_rels/document.xml.rels', content: relations(parts) },
      { name: 'word/chunk.mht', content: page },
      { name: 'word/diagrams/data1.xml', content: '<d:t><a:p><a:r><a:t>First step</a:t></a:r></a:p></d:t>' },
    ]);
    expect(await files.textOf('a.docx', file)).toBe('Café First step');
  });

  it('reads what is chosen in the fields of a form', async () => {
    const field = (data: string): string =>
      `<w:r><w:fldChar w:fldCharType="begin"><w:ffData>${data}</w:ffData></w:fldChar></w:r>`;
    const list = (state: string): string =>
      field(`<w:ddList>${state}<w:listEntry w:val="Austria"/><w:listEntry w:val="Malta"/></w:ddList>`);
    const box = (state: string): string => field(`<w:checkBox><w:sizeAuto/>${state}</w:checkBox>`);
    const body =
      `<w:p>${list('<w:result w:val="1"/>')}${list('')}</w:p><w:p>${box('<w:default w:val="1"/>')}</w:p>` +
      `<w:p>${box('<w:default w:val="0"/><w:checked/>')}${box('<w:default w:val="1"/><w:checked w:val="0"/>')}</w:p>`;
    expect(await files.linesOf('a.docx', docxOf(body))).toEqual(['MaltaAustria', '☒', '☒☐', '', '']);
  });
});
