/** What a parser gives out: a page, a slide, some rows of a sheet, or a section, with its text as it was found. */
export type Piece = {
  page?: number | undefined;
  sheet?: string | undefined;
  slide?: number | undefined;
  headingPath: string[];
  text: string;
  /** How much of the file has been read, from 0 to 1. */
  done: number;
  /** The next piece is of the same page: reading cannot begin again between them. */
  goesOn?: boolean | undefined;
  /** The text is not of the file: it says why one inside of it was not read. */
  note?: boolean | undefined;
};

/** A paragraph, list item, table row or heading, as HTML, Word and PowerPoint files have them. */
export type Block = {
  text: string;
  /** Of a heading, from 1. */
  level?: number | undefined;
  /** A number or dash before it, which is no part of a heading. */
  label?: string | undefined;
};

/** How much text a part may hold, in UTF-16 code units. */
export const maxPartChars = 64 * 1024;

const maxHeadingChars = 200;
const maxHeadings = 8;

/** Keeps the path of headings while a file is read from its beginning. */
export function headingPath(): { enter(level: number, title: string): void; path(): string[] } {
  let open: { level: number; title: string }[] = [];
  return {
    enter(level, title) {
      open = open.filter((heading) => heading.level < level);
      const line = title.replaceAll(/\s+/g, ' ').trim().slice(0, maxHeadingChars);
      if (line) open.push({ level, title: line });
    },
    path: () => open.slice(0, maxHeadings).map((heading) => heading.title),
  };
}

/** Gathers blocks into one piece per section: a heading begins a new one. */
export async function* sections(
  blocks: Iterable<Block> | AsyncIterable<Block>,
  done: () => number,
): AsyncGenerator<Piece> {
  const headings = headingPath();
  let lines: string[] = [];
  let chars = 0;
  const piece = (): Piece => {
    const text = lines.join('\n');
    lines = [];
    chars = 0;
    return { headingPath: headings.path(), text, done: done() };
  };
  for await (const { text: words, level, label } of blocks) {
    const text = label ? `${label} ${words}` : words;
    if (lines.length > 0 && (level !== undefined || chars + text.length > maxPartChars)) yield piece();
    if (level !== undefined) headings.enter(level, words);
    lines.push(text);
    chars += text.length + 1;
  }
  if (lines.length > 0) yield piece();
}
