import type { PDFParse } from 'pdf-parse';

/** A heading of the file's outline: where it is on and what it is under, the outermost first. */
export type Heading = { page: number; title: string; path: string[] };

/** Pieces of a page: what is under one heading. */
export type Section = { headingPath: string[]; text: string };

type Node = { title: string; dest: unknown; items: Node[] };

/** What is used of the library's document, which its types keep private. */
type Destinations = {
  getDestination(name: string): Promise<unknown[] | null>;
  getPageIndex(page: object): Promise<number>;
};

export const maxHeadings = 5_000;
const maxDepth = 8;
export const maxTitle = 200;

/** The headings that the outline (the bookmarks) of a file names, in its order; none when there is none. */
export async function readOutline(parser: PDFParse, outline: readonly Node[] | null | undefined): Promise<Heading[]> {
  const document = (parser as unknown as { doc?: Destinations }).doc;
  if (!outline || !document) return [];
  const headings: Heading[] = [];

  async function walk(nodes: readonly Node[], above: string[]): Promise<void> {
    for (const { title, dest, items } of nodes) {
      if (headings.length >= maxHeadings) return;
      const name = title.replaceAll(/\s+/g, ' ').trim().slice(0, maxTitle);
      const path = name === '' ? above : [...above, name];
      const page = name === '' ? null : await pageOf(document as Destinations, dest);
      if (page !== null) headings.push({ page, title: name, path });
      if (path.length < maxDepth) await walk(items, path);
    }
  }

  await walk(outline, []);
  // Most are in order; the headings of a page have to be.
  return headings.sort((one, other) => one.page - other.page);
}

/** From 1; null where a heading leads nowhere in this file. */
async function pageOf(document: Destinations, dest: unknown): Promise<number | null> {
  try {
    const place = typeof dest === 'string' ? await document.getDestination(dest) : dest;
    const [page] = Array.isArray(place) ? (place as unknown[]) : [];
    if (typeof page === 'number') return page + 1;
    return typeof page === 'object' && page !== null ? (await document.getPageIndex(page)) + 1 : null;
  } catch {
    return null;
  }
}

/**
 * Cuts the text of a page where its headings stand. What comes before the first of them is under the last heading of
 * the pages before; a heading whose title is not on its page, as where it is drawn, begins with the page if it is the
 * first there.
 */
export function sectionsOf(page: number, text: string, headings: readonly Heading[]): Section[] {
  const before = headings.findLast((heading) => heading.page < page)?.path ?? [];
  const cuts: { at: number; path: string[] }[] = [{ at: 0, path: before }];
  for (const heading of headings.filter((each) => each.page === page)) {
    const at = placeOf(heading.title, text, cuts.at(-1)?.at ?? 0);
    if (at !== null || cuts.length === 1) cuts.push({ at: at ?? 0, path: heading.path });
  }
  return cuts
    .map(({ at, path }, index) => ({ headingPath: path, text: text.slice(at, cuts[index + 1]?.at) }))
    .filter((section) => section.text.trim() !== '');
}

/**
 * Where a line begins that has the title, in capitals too: outlines have small letters where a style prints them. A line
 * that goes on behind it may be a sentence, and is taken only where there is no other.
 */
function placeOf(title: string, text: string, from: number): number | null {
  const written = [title, title.toUpperCase()];
  for (const end of [String.raw`[^\S\n]*$`, '']) {
    for (const words of written) {
      const place = lineOf(words, end, text, from);
      if (place !== null) return place;
    }
  }
  return null;
}

/** Where a line begins that has the words, perhaps behind a number and broken over lines. */
function lineOf(title: string, end: string, text: string, from: number): number | null {
  const words = title.split(' ').map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  const line = new RegExp(
    String.raw`^[^\S\n]*(?:[\dIVXivx]+(?:\.\d+)*[.:)]?\s+)?${words.join(String.raw`\s+`)}${end}`,
    'gmu',
  );
  line.lastIndex = from;
  return line.exec(text)?.index ?? null;
}
