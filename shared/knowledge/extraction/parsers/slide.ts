import { pictureText } from '../picture-text.js';
import { lineOf } from '../table.js';
import type { EmbeddedObject } from './embedded.js';
import { referenceOf } from './relations.js';
import { scanXml } from './xml.js';

/** Placeholders that say nothing about the slide itself. */
const furniture = new Set(['sldNum', 'dt', 'ftr', 'hdr', 'sldImg']);

/** What a slide says and what is embedded in it. */
export type Slide = { title: string; lines: string[]; objects: EmbeddedObject[] };

/** The paragraphs of a slide, of its notes or comments, or of a diagram; a row of a table is one line. */
export async function readSlide(bytes: AsyncIterable<Buffer>): Promise<Slide> {
  const lines: string[] = [];
  const objects: EmbeddedObject[] = [];
  let title = '';
  let placeholder = '';
  let paragraph = '';
  let inText = false;
  /** Depth inside of what older programs show instead: another form, or that they cannot show it. */
  let skipped = 0;
  let cell: string[] | undefined;
  let row: string[] | undefined;

  function endParagraph(): void {
    const text = paragraph.replaceAll(/[ \t]+/g, ' ').trim();
    paragraph = '';
    if (!text || furniture.has(placeholder)) return;
    if (cell) cell.push(text);
    else lines.push(text);
    if (/^(title|ctrTitle)$/.test(placeholder)) title = `${title} ${text}`.trim();
  }

  await scanXml(bytes, {
    open(tag, attributes) {
      if (skipped > 0 || tag === 'Fallback') skipped += 1;
      else if (tag === 'sp') placeholder = '';
      else if (tag === 'ph') placeholder = attributes.type ?? 'body';
      else if (tag === 't' || tag === 'text') inText = true;
      else if (tag === 'br') paragraph += '\n';
      else if (tag === 'tab') paragraph += ' ';
      else if (tag === 'cNvPr') lines.push(...pictureText(attributes.descr));
      else if (tag === 'oleObj') objects.push({ program: attributes.progId ?? '', id: referenceOf(attributes) });
      else if (tag === 'tr') row = [];
      else if (tag === 'tc') cell = [];
    },
    text(text) {
      if (inText && skipped === 0) paragraph += text;
    },
    close(tag) {
      if (skipped > 0) {
        skipped -= 1;
        return;
      }
      if (tag === 't' || tag === 'text') inText = false;
      if (tag === 'text') endParagraph();
      else if (tag === 'p') endParagraph();
      else if (tag === 'sp') placeholder = '';
      else if (tag === 'tc') {
        row?.push(cell?.join(' ') ?? '');
        cell = undefined;
      } else if (tag === 'tr') {
        const line = row ? lineOf(row) : '';
        if (line) lines.push(line);
        row = undefined;
      }
    },
  });
  return { title, lines, objects };
}
