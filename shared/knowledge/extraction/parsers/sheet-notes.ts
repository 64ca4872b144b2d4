import { readChart } from './chart.js';
import { type Relation, relationsOf } from './relations.js';
import { readSlide } from './slide.js';
import { scanXml } from './xml.js';
import type { Archive } from './zip.js';

/** What stands on a sheet beside its cells: comments, texts in boxes, and titles of charts, whose values are cells. */
export async function sheetNotes(archive: Archive, relations: readonly Relation[]): Promise<string[]> {
  const lines: string[] = [];
  for (const { type, target } of relations) {
    if (!archive.has(target)) continue;
    if (type === 'comments') lines.push(...(await commentsOf(archive.read(target))));
    if (type !== 'drawing') continue;
    lines.push(...(await readSlide(archive.read(target))).lines);
    for (const drawn of await relationsOf(archive, target)) {
      if (drawn.type !== 'chart' || !archive.has(drawn.target)) continue;
      lines.push(...(await readChart(archive.read(drawn.target))).titles);
    }
  }
  return lines;
}

/** Each with the cell that it is about. */
async function commentsOf(bytes: AsyncIterable<Buffer>): Promise<string[]> {
  const comments: string[] = [];
  let cell = '';
  let text = '';
  let inText = false;
  await scanXml(bytes, {
    open(tag, { ref }) {
      if (tag === 'comment') {
        cell = ref ?? '';
        text = '';
      } else if (tag === 't') inText = true;
    },
    text(some) {
      if (inText) text += some;
    },
    close(tag) {
      if (tag === 't') inText = false;
      else if (tag === 'comment' && text.trim()) comments.push(`${cell}: ${text.trim()}`);
    },
  });
  return comments;
}
