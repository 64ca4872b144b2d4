/** A letter that a page draws, and how far behind the one before it that stands, in thousandths of the size. */
export type Sign = { text: string; gap: number };

/** What a page does, as the library gives it. */
export type Operations = { fnArray: number[]; argsArray: unknown[] };

/** What is used of the library's page: it hands on what the page does in pieces, and gathers them. */
export type DrawingPage = {
  getOperatorList(): Promise<Operations>;
  _renderPageChunk?: (piece: Operations & { length: number }, state: unknown) => void;
};

type Glyph = { unicode?: string; width?: number };

/** The library's numbers of the operations. */
const setCharSpacing = 33;
const setFont = 37;
const moveText = 40;
const showText = 44;
/** These put the pen somewhere else: where a text begins or ends, and by lines or a matrix. */
const placing = new Set([31, 32, 41, 42, 43]);

const ofText = new Set([setCharSpacing, setFont, moveText, showText, ...placing]);

/** What stands further apart than this is no word: the library parts it too. */
const maxGap = 600;

/** What a page does with text. Lines are not gathered: on a map there are millions of them, and 500 MB did not hold them. */
export function operationsOf(page: DrawingPage): Promise<Operations> {
  const gather = page._renderPageChunk?.bind(page);
  if (gather) {
    page._renderPageChunk = (piece, state) => {
      const kept = piece.fnArray.flatMap((operation, at) => (ofText.has(operation) ? [at] : []));
      const fnArray = kept.map((at) => piece.fnArray[at] ?? 0);
      gather({ ...piece, fnArray, argsArray: kept.map((at) => piece.argsArray[at]), length: kept.length }, state);
    };
  }
  return page.getOperatorList();
}

/**
 * The letters that a page draws, by runs of those that follow one another on a line. Unlike the text that the library
 * makes of them they have just the spaces that are in the file.
 */
export function drawnRuns({ fnArray, argsArray }: Operations): Sign[][] {
  const runs: Sign[][] = [];
  let size = 1;
  let spacing = 0;
  /** From the last letter to the pen, and from the place that moves are counted from. */
  let gap = Infinity;
  let pen = 0;

  function draw(glyph: Glyph): void {
    const run = Math.abs(gap) <= maxGap ? runs.at(-1) : undefined;
    const sign = { text: glyph.unicode ?? '', gap };
    if (run) run.push(sign);
    else runs.push([sign]);
    gap = (spacing * 1000) / size;
    pen += (glyph.width ?? 0) + gap;
  }

  for (const [at, operation] of fnArray.entries()) {
    const args = (argsArray[at] ?? []) as unknown[];
    if (operation === setFont) size = Math.abs(Number(args[1])) || 1;
    else if (operation === setCharSpacing) spacing = Number(args[0]) || 0;
    else if (placing.has(operation)) {
      gap = Infinity;
      pen = 0;
    } else if (operation === moveText) {
      const [x, y] = args as [number, number];
      gap = y === 0 ? gap + (x * 1000) / size - pen : Infinity;
      pen = 0;
    } else if (operation === showText) {
      for (const each of args[0] as (Glyph | number | null)[]) {
        if (typeof each === 'number') {
          gap -= each;
          pen -= each;
        } else if (each) draw(each);
      }
    }
  }
  return runs;
}
