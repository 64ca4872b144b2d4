import { scanXml } from './xml.js';

/** What a paragraph is by its style. */
export type WordStyle = {
  /** Of a heading: 0 for the title of a document, then from 1. */
  level?: number | undefined;
  /** The number of its list, and its depth there. */
  list?: string | undefined;
  depth?: number | undefined;
};

type Style = WordStyle & { basedOn?: string };

const maxInheritance = 20;

/** The paragraph styles by their names, with what each has of those that it is made from. */
export async function wordStylesOf(bytes: AsyncIterable<Buffer>): Promise<Map<string, WordStyle>> {
  const styles = new Map<string, Style>();
  let style: Style = {};
  await scanXml(bytes, {
    open(tag, attributes) {
      const value = attributes['w:val'] ?? '';
      if (tag === 'style') {
        style = {};
        styles.set(attributes['w:styleId'] ?? '', style);
      } else if (tag === 'name') style.level ??= levelOfName(value);
      else if (tag === 'basedOn') style.basedOn = value;
      else if (tag === 'outlineLvl') style.level ??= levelOfOutline(value);
      else if (tag === 'numId') style.list = value;
      else if (tag === 'ilvl') style.depth = Number(value);
    },
  });
  const found = new Map<string, WordStyle>();
  for (const [id, own] of styles) {
    let { level, list, depth, basedOn } = own;
    for (let step = 0; step < maxInheritance && basedOn; step += 1) {
      const base: Style = styles.get(basedOn) ?? {};
      level ??= base.level;
      list ??= base.list;
      depth ??= base.depth;
      basedOn = base.basedOn;
    }
    found.set(id, { level, list, depth });
  }
  return found;
}

/** Word writes the names of its own styles in English, whatever language it speaks. */
function levelOfName(name: string): number | undefined {
  if (/^title$/i.test(name)) return 0;
  const level = /^heading ([1-9])$/i.exec(name)?.[1];
  return level ? Number(level) : undefined;
}

/** Outline levels count from 0, and 9 is ordinary text. */
export function levelOfOutline(value: string): number | undefined {
  return /^[0-8]$/.test(value) ? Number(value) + 1 : undefined;
}
