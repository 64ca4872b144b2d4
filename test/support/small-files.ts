import { deflateRawSync } from 'node:zlib';

/** A ZIP archive; `declaredSize` lies about what an entry unpacks to, one that is `stored` is not packed. */
export function zipOf(
  entries: { name: string; content: string | Buffer; declaredSize?: number; encrypted?: boolean; stored?: boolean }[],
): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, declaredSize, encrypted, stored } of entries) {
    const raw = Buffer.from(content);
    const packed = stored ? raw : deflateRawSync(raw, { level: 9 });
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(encrypted ? 1 : 0, 2);
    fields.writeUInt16LE(stored ? 0 : 8, 4);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(declaredSize ?? raw.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const body = Buffer.concat([Buffer.from('PK\u0003\u0004'), fields, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), fields, rest, Buffer.from(name));
    bodies.push(body);
    offset += body.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(list.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...bodies, list, Buffer.from('PK\u0005\u0006'), end]);
}

const relationships = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

/** What a part of an office file refers to, by id. */
export function relations(targets: Record<string, readonly [type: string, target: string]>): string {
  const all = Object.entries(targets).map(
    ([id, [type, target]]) => `<Relationship Id="${id}" Type="${relationships}/${type}" Target="${target}"/>`,
  );
  return `<Relationships>${all.join('')}</Relationships>`;
}

/** A Word file with this in its body. */
export function docxOf(body: string, parts: { styles?: string; footnotes?: string; numbering?: string } = {}): Buffer {
  return zipOf([
    { name: 'word/document.xml', content: `<w:document><w:body>${body}</w:body></w:document>` },
    {
      name: 'word/_rels/document.xml.rels',
      content: relations({
        s: ['styles', 'styles.xml'],
        f: ['footnotes', 'footnotes.xml'],
        n: ['numbering', 'numbering.xml'],
      }),
    },
    { name: 'word/styles.xml', content: `<w:styles>${parts.styles ?? ''}</w:styles>` },
    { name: 'word/numbering.xml', content: `<w:numbering>${parts.numbering ?? ''}</w:numbering>` },
    { name: 'word/footnotes.xml', content: `<w:footnotes>${parts.footnotes ?? ''}</w:footnotes>` },
  ]);
}

/** A workbook with one sheet called Data. */
export function xlsxOf(rows: string, parts: { strings?: string; styles?: string } = {}): Buffer {
  return zipOf([
    {
      name: 'xl/workbook.xml',
      content: '<workbook><sheets><sheet name="Data" sheetId="1" r:id="a"/></sheets></workbook>',
    },
    {
      name: 'xl/_rels/workbook.xml.rels',
      content: relations({
        a: ['worksheet', 'worksheets/sheet1.xml'],
        b: ['sharedStrings', 'sharedStrings.xml'],
        c: ['styles', 'styles.xml'],
      }),
    },
    { name: 'xl/worksheets/sheet1.xml', content: `<worksheet><sheetData>${rows}</sheetData></worksheet>` },
    { name: 'xl/sharedStrings.xml', content: `<sst>${parts.strings ?? ''}</sst>` },
    { name: 'xl/styles.xml', content: `<styleSheet>${parts.styles ?? ''}</styleSheet>` },
  ]);
}

/** A presentation; each slide is the XML of its shapes, the first with notes. */
export function pptxOf(slides: string[], notes: string): Buffer {
  const ids = slides.map((_, index) => `<p:sldId id="${256 + index}" r:id="s${index}"/>`).join('');
  return zipOf([
    { name: 'ppt/presentation.xml', content: `<p:presentation><p:sldIdLst>${ids}</p:sldIdLst></p:presentation>` },
    {
      name: 'ppt/_rels/presentation.xml.rels',
      // The names say nothing about the order.
      content: relations(
        Object.fromEntries(
          slides.map((_, index) => [`s${index}`, ['slide', `slides/slide${slides.length - index}.xml`]]),
        ),
      ),
    },
    ...slides.map((shapes, index) => ({
      name: `ppt/slides/slide${slides.length - index}.xml`,
      content: `<p:sld><p:cSld><p:spTree>${shapes}</p:spTree></p:cSld></p:sld>`,
    })),
    {
      name: `ppt/slides/_rels/slide${slides.length}.xml.rels`,
      content: relations({ n: ['notesSlide', '../notesSlides/notes1.xml'] }),
    },
    { name: 'ppt/notesSlides/notes1.xml', content: `<p:notes>${notes}</p:notes>` },
  ]);
}

/**
 * A PDF with a text on each page, whose lines are written below each other; '' is a blank page. Headings are its
 * outline, all on one level, each with its page from 0. Annotations are those of its first page, as PDF writes them;
 * attached files are small.
 */
export function pdfOf(
  texts: string[],
  headings: { title: string; page: number }[] = [],
  annotations: string[] = [],
  attached: { name: string; content: Buffer }[] = [],
): Buffer {
  const first = 4 + 2 * texts.length;
  const outline = headings.length > 0 ? ` /Outlines ${first} 0 R` : '';
  // Behind the outline.
  const firstFile = first + (outline ? 1 + headings.length : 0);
  const names = attached.map(({ name }, index) => {
    const spec = `<< /Type /Filespec /F (${name}) /EF << /F ${firstFile + index} 0 R >> >>`;
    return `(${name}) ${spec}`;
  });
  const carried = names.length > 0 ? ` /Names << /EmbeddedFiles << /Names [${names.join(' ')}] >> >>` : '';
  const objects = [
    `<< /Type /Catalog /Pages 2 0 R${outline}${carried} >>`,
    `<< /Type /Pages /Kids [${texts.map((_, index) => `${4 + 2 * index} 0 R`).join(' ')}] /Count ${texts.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  for (const [index, text] of texts.entries()) {
    const lines = text.split('\n').map((line) => `(${line}) Tj 0 -20 Td`);
    const annotated = index === 0 && annotations.length > 0 ? ` /Annots [${annotations.join(' ')}]` : '';
    const content = text ? `BT /F1 12 Tf 72 720 Td ${lines.join(' ')} ET` : '';
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + 2 * index} 0 R${annotated} >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    );
  }
  const item = (index: number): string => `${first + 1 + index} 0 R`;
  if (outline) objects.push(`<< /Type /Outlines /First ${item(0)} /Last ${item(headings.length - 1)} >>`);
  for (const [index, { title, page }] of headings.entries()) {
    const next = index < headings.length - 1 ? ` /Next ${item(index + 1)}` : '';
    objects.push(`<< /Title (${title}) /Parent ${first} 0 R${next} /Dest [${4 + 2 * page} 0 R /Fit] >>`);
  }
  for (const { content } of attached) {
    const hex = `${content.toString('hex')}>`;
    objects.push(`<< /Filter /ASCIIHexDecode /Length ${hex.length} >>\nstream\n${hex}\nendstream`);
  }
  return pdfFile(objects);
}

/** A PDF file of these objects, the first of which is its catalog. */
export function pdfFile(objects: readonly string[]): Buffer {
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const trailer = `trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF`;
  return Buffer.from(`${file}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join('')}${trailer}`);
}
