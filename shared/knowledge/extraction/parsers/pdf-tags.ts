import type { PDFParse } from 'pdf-parse';
import type { TextItem } from './pdf-item.js';

/** What a page draws, and marks that say where what is of an element of its structure begins and ends. */
export type Drawn = TextItem | { type: string; id?: string | null; tag?: string | null };

/** An element of the structure of a page, or the mark of what it has on it. */
export type Structure = { role?: string; id?: string; children?: Structure[] };

/** A heading and what is drawn of it. */
export type TaggedHeading = { level: number; items: TextItem[] };

/** What is used of the library's document, which its types keep private. */
type Document = {
  getMarkInfo(): Promise<{ Marked?: boolean } | null>;
  getPage(number: number): Promise<{ getStructTree(): Promise<Structure | null> }>;
};

/** Of more objects the elements of the structure may not find room: of 85,000 they took 120 MB. */
const maxObjects = 100_000;

/**
 * How much of the processor's time the structure of all pages may take, in milliseconds. For each page the library looks
 * at elements of the others too: of 500 pages it takes 13 ms for one, and more for each the more there are.
 */
const maxStructureMs = 30_000;

/**
 * Whether a file says which of its texts are headings, as office programs and browsers write it, and asking for them
 * takes no more than it may.
 *
 * @param objects how many the file has.
 */
export async function marksHeadings(parser: PDFParse, pages: number, objects: number): Promise<boolean> {
  const document = (parser as unknown as { doc?: Document }).doc;
  const info = await document?.getMarkInfo().catch(() => null);
  if (!document || info?.Marked !== true || objects > maxObjects) return false;
  for (const number of new Set([1, Math.ceil(pages / 2), pages])) {
    const page = await document.getPage(number).catch(() => undefined);
    // The first time it also reads the elements, which stay.
    await page?.getStructTree().catch(() => null);
    const before = process.cpuUsage().user;
    await page?.getStructTree().catch(() => null);
    if (((process.cpuUsage().user - before) / 1000) * pages > maxStructureMs) return false;
  }
  return true;
}

/** How many objects a file says to have, where it ends; Infinity where it does not say it. */
export function objectsIn(data: Uint8Array): number {
  const file = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const end = file.subarray(-1024).toString('latin1');
  const start = Number(/startxref\s+(\d+)\s+%%EOF\s*$/.exec(end)?.[1] ?? NaN);
  if (!(start < file.length)) return Infinity;
  const isTable = file.subarray(start, start + 4).toString('latin1') === 'xref';
  const dictionary = isTable ? file.indexOf('trailer', start) : start;
  const size = /\/Size\s+(\d+)/.exec(file.subarray(dictionary, dictionary + 1024).toString('latin1'))?.[1];
  return size && dictionary >= 0 ? Number(size) : Infinity;
}

/** The headings of a page, in the order in which it draws them. */
export function taggedHeadings(drawn: readonly Drawn[], structure: Structure | null): TaggedHeading[] {
  const byMark = new Map<string, TaggedHeading>();
  if (structure) gather(structure, 0, undefined, byMark);
  // LibreOffice has the title of a document as a paragraph, and its style as the name of the mark.
  const title: TaggedHeading = { level: 0, items: [] };
  const headings = new Set<TaggedHeading>();
  const open: (TaggedHeading | undefined)[] = [];
  for (const each of drawn) {
    if ('str' in each) {
      const heading = open.findLast(Boolean);
      heading?.items.push(each);
      if (heading && each.str.trim() !== '') headings.add(heading);
    } else if (each.type === 'endMarkedContent') open.pop();
    else open.push((each.id ? byMark.get(each.id) : undefined) ?? (each.tag === 'Title' ? title : undefined));
  }
  return [...headings];
}

function gather(
  { role = '', id, children = [] }: Structure,
  depth: number,
  heading: TaggedHeading | undefined,
  byMark: Map<string, TaggedHeading>,
): void {
  if (id && heading) byMark.set(id, heading);
  const level = levelOf(role, depth);
  const own = level === undefined ? heading : { level, items: [] };
  for (const child of children) gather(child, role === 'Sect' ? depth + 1 : depth, own, byMark);
}

/** One without a level of its own has that of the section which it stands in. */
function levelOf(role: string, depth: number): number | undefined {
  if (role === 'Title') return 0;
  if (role === 'H') return Math.max(1, depth);
  const level = /^H([1-9])$/.exec(role)?.[1];
  return level ? Number(level) : undefined;
}
