import { scanXml } from './xml.js';

/** How the items of one depth of a list are numbered: `%1.%2` is made of the numbers of the first two depths. */
export type NumberedLevel = { start: number; format: string; text: string };

/** A list as it is defined; paragraphs name it by a number of their own, which may begin it anew. */
export type WordList = {
  /** The definition: what shares it counts on. */
  counts: string;
  levels: ReadonlyMap<number, NumberedLevel>;
  /** Which depth the paragraphs of a style have. */
  depths: ReadonlyMap<string, number>;
  /** Where this one begins anew, by depth. */
  restarts: ReadonlyMap<number, number>;
};

/** The lists of a Word file, by the numbers that paragraphs give for them. */
export async function wordListsOf(bytes: AsyncIterable<Buffer>): Promise<Map<string, WordList>> {
  const lists = new Map<string, WordList>();
  const definitions = new Map<string, { levels: Map<number, NumberedLevel>; depths: Map<string, number> }>();
  let levels = new Map<number, NumberedLevel>();
  let depths = new Map<string, number>();
  let restarts = new Map<number, number>();
  let number = '';
  let depth = 0;
  let level: NumberedLevel = { start: 1, format: '', text: '' };
  await scanXml(bytes, {
    open(tag, attributes) {
      const value = attributes['w:val'] ?? '';
      if (tag === 'abstractNum') {
        levels = new Map();
        depths = new Map();
        definitions.set(attributes['w:abstractNumId'] ?? '', { levels, depths });
      } else if (tag === 'lvl' || tag === 'lvlOverride') {
        depth = Number(attributes['w:ilvl'] ?? 0);
        // One inside of a list that only uses a definition is no part of that, nor read.
        level = { start: 1, format: 'decimal', text: '' };
        if (tag === 'lvl' && number === '') levels.set(depth, level);
      } else if (tag === 'start') level.start = Number(value) || 0;
      else if (tag === 'numFmt') level.format = value;
      else if (tag === 'lvlText') level.text = value;
      else if (tag === 'pStyle') depths.set(value, depth);
      else if (tag === 'num') {
        number = attributes['w:numId'] ?? '';
        restarts = new Map();
      } else if (tag === 'startOverride') restarts.set(depth, Number(value) || 0);
      else if (tag === 'abstractNumId') {
        const definition = definitions.get(value);
        if (definition) lists.set(number, { counts: value, ...definition, restarts });
      }
    },
  });
  return lists;
}
