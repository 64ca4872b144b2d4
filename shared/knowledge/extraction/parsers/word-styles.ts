import { scanXml } from './xml.js';

type Style = { level?: number; basedOn?: string };

const maxInheritance = 20;

/** For the paragraph styles that are headings their level: 0 for the title of a document, then from 1. */
export async function headingStylesOf(bytes: AsyncIterable<Buffer>): Promise<Map<string, number>> {
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
    },
  });
  const levels = new Map<string, number>();
  for (const id of styles.keys()) {
    let at = styles.get(id);
    for (let step = 0; step < maxInheritance && at && at.level === undefined; step += 1)
      at = styles.get(at.basedOn ?? '');
    if (at?.level !== undefined) levels.set(id, at.level);
  }
  return levels;
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
