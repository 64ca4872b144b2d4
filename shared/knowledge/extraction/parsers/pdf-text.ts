import type { PDFParse } from 'pdf-parse';
import { composeAccents } from './pdf-accents.js';
import { orderColumns } from './pdf-columns.js';
import { orderFromRight } from './pdf-direction.js';
import { type DrawingPage, drawnRuns, operationsOf, type Sign } from './pdf-drawn.js';
import { withoutFalseSpaces } from './pdf-false-spaces.js';
import type { TextItem } from './pdf-item.js';
import { joinSpacedLetters } from './pdf-letter-spacing.js';
import { withoutOverprint } from './pdf-overprint.js';
import { turnUpright } from './pdf-rotated.js';
import { type Drawn, type Structure, taggedHeadings } from './pdf-tags.js';

type Page = DrawingPage & {
  getViewport(options: object): unknown;
  getTextContent(options: object): Promise<{ items: Drawn[] }>;
  getStructTree(): Promise<Structure | null>;
  cleanup(): void;
};

/** What is used of the library that its types keep private. */
type Pages = {
  doc: { numPages: number; getPage(number: number): Promise<Page> };
  getPageText(page: Pick<Page, 'getViewport' | 'getTextContent'>, options: object, total: number): Promise<string>;
};

/** What a page says, and its headings where the file marks them. */
export type PageText = { text: string; headings: { level: number; title: string }[] };

/**
 * The text of a page in the order in which the file draws it, except for columns that it draws line by line.
 *
 * @param tagged whether the file marks its headings, and they are wanted.
 */
export async function pageText(parser: PDFParse, number: number, tagged: boolean): Promise<PageText> {
  const pages = parser as unknown as Pages;
  const page = await pages.doc.getPage(number);
  // Ligatures stay as they were printed; the forms of Arabic letters are put back below.
  const content = await page.getTextContent({ disableNormalization: true, includeMarkedContent: tagged });
  let runs: Promise<Sign[][]> | undefined;
  const drawnOn = (): Promise<Sign[][]> => (runs ??= operationsOf(page).then(drawnRuns));

  async function textOf(found: readonly TextItem[]): Promise<string> {
    const items = await joinSpacedLetters(withoutFalseSpaces(withoutOverprint(turnUpright(found))), drawnOn);
    const ordered = orderFromRight(orderColumns(composeAccents(items)));
    const readable: Pick<Page, 'getViewport' | 'getTextContent'> = {
      // Texts are turned upright above, whichever way the page is shown.
      getViewport: (options) => page.getViewport({ ...options, rotation: 0 }),
      // The library writes into them, and those of a heading are read twice.
      getTextContent: async () => ({ ...content, items: ordered.map((item) => ({ ...item })) }),
    };
    const text = await pages.getPageText(readable, { cellSeparator: ' ' }, pages.doc.numPages);
    return text
      .replaceAll(/[\u2000-\u200a\u202f\ufb13-\ufdff\ufe70-\ufefc]+/g, (run) => run.normalize('NFKC'))
      .replaceAll(/[ \t]{2,}/g, ' ');
  }

  const text = await textOf(content.items.filter((item): item is TextItem => 'str' in item));
  const headings: PageText['headings'] = [];
  if (tagged) {
    // A structure that is broken is no reason to lose the page.
    const structure = await page.getStructTree().catch(() => null);
    for (const { level, items } of taggedHeadings(content.items, structure)) {
      headings.push({ level, title: await textOf(items) });
    }
  }
  page.cleanup();
  return { text, headings };
}
