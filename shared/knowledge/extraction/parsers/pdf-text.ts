import type { PDFParse } from 'pdf-parse';
import { composeAccents } from './pdf-accents.js';
import { orderColumns } from './pdf-columns.js';
import { orderFromRight } from './pdf-direction.js';
import { type DrawingPage, drawnRuns, operationsOf } from './pdf-drawn.js';
import { withoutFalseSpaces } from './pdf-false-spaces.js';
import type { TextItem } from './pdf-item.js';
import { joinSpacedLetters } from './pdf-letter-spacing.js';
import { withoutOverprint } from './pdf-overprint.js';
import { turnUpright } from './pdf-rotated.js';

type Page = DrawingPage & {
  getViewport(options: object): unknown;
  getTextContent(options: object): Promise<{ items: (TextItem | { type: string })[] }>;
  cleanup(): void;
};

/** What is used of the library that its types keep private. */
type Pages = {
  doc: { numPages: number; getPage(number: number): Promise<Page> };
  getPageText(page: Pick<Page, 'getViewport' | 'getTextContent'>, options: object, total: number): Promise<string>;
};

/** The text of a page in the order in which the file draws it, except for columns that it draws line by line. */
export async function pageText(parser: PDFParse, number: number): Promise<string> {
  const pages = parser as unknown as Pages;
  const page = await pages.doc.getPage(number);
  const readable: Pick<Page, 'getViewport' | 'getTextContent'> = {
    // Texts are turned upright below, whichever way the page is shown.
    getViewport: (options) => page.getViewport({ ...options, rotation: 0 }),
    async getTextContent(options) {
      const content = await page.getTextContent(options);
      const found = content.items.filter((item): item is TextItem => 'str' in item);
      const items = await joinSpacedLetters(withoutFalseSpaces(withoutOverprint(turnUpright(found))), async () =>
        drawnRuns(await operationsOf(page)),
      );
      return { ...content, items: orderFromRight(orderColumns(composeAccents(items))) };
    },
  };
  // Ligatures stay as they were printed; the forms of Arabic letters are put back below.
  const text = await pages.getPageText(
    readable,
    { cellSeparator: ' ', disableNormalization: true },
    pages.doc.numPages,
  );
  page.cleanup();
  return text
    .replaceAll(/[\u2000-\u200a\u202f\ufb13-\ufdff\ufe70-\ufefc]+/g, (run) => run.normalize('NFKC'))
    .replaceAll(/[ \t]{2,}/g, ' ');
}
