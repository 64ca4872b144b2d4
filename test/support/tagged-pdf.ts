import { pdfFile } from './small-files.js';

/** A line of a page, and the elements it is in, the outermost first; `mark` is what it is called where it is drawn. */
export type TaggedLine = { roles: string[]; text: string; mark?: string };

/** A PDF without an outline whose lines say what they are, as office programs and browsers print it. */
export function taggedPdfOf(pages: TaggedLine[][]): Buffer {
  const [pagesAt, font, root, document] = [2, 3, 4, 5];
  const firstPage = 6;
  const pageAt = (index: number): number => firstPage + 2 * index;
  const elements: string[] = [];
  const tops: string[] = [];
  const parents = pages.map((lines, page) =>
    lines.map(({ roles }, mark) => {
      let parent = `${document} 0 R`;
      for (const [depth, role] of roles.entries()) {
        const own = pageAt(pages.length) + elements.length;
        if (depth === 0) tops.push(`${own} 0 R`);
        const kid = depth === roles.length - 1 ? mark : `${own + 1} 0 R`;
        elements.push(`<< /Type /StructElem /S /${role} /P ${parent} /Pg ${pageAt(page)} 0 R /K [${kid}] >>`);
        parent = `${own} 0 R`;
      }
      return parent;
    }),
  );
  const numbers = parents.map((lines, page) => `${page} [${lines.join(' ')}]`).join(' ');
  return pdfFile([
    `<< /Type /Catalog /Pages ${pagesAt} 0 R /MarkInfo << /Marked true >> /StructTreeRoot ${root} 0 R >>`,
    `<< /Type /Pages /Kids [${pages.map((_, index) => `${pageAt(index)} 0 R`).join(' ')}] /Count ${pages.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    `<< /Type /StructTreeRoot /K [${document} 0 R] /ParentTree << /Nums [${numbers}] >> >>`,
    `<< /Type /StructElem /S /Document /P ${root} 0 R /K [${tops.join(' ')}] >>`,
    ...pages.flatMap((lines, index) => {
      const drawn = lines.map(
        ({ roles, text, mark }, id) =>
          `/${mark ?? roles.at(-1)} << /MCID ${id} >> BDC BT /F1 12 Tf 72 ${720 - 20 * id} Td (${text}) Tj ET EMC`,
      );
      const content = drawn.join('\n');
      return [
        `<< /Type /Page /Parent ${pagesAt} 0 R /MediaBox [0 0 612 792] /StructParents ${index} /Resources << /Font << /F1 ${font} 0 R >> >> /Contents ${pageAt(index) + 1} 0 R >>`,
        `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
      ];
    }),
    ...elements,
  ]);
}
