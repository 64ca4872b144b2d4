import type { Block } from '../piece.js';
import { pictureText } from '../picture-text.js';
import { rowBuilder } from '../table-row.js';
import type { EmbeddedObject } from './embedded.js';
import { formFields } from './word-fields.js';
import { dash, wordLabels } from './word-labels.js';
import type { WordList } from './word-numbering.js';
import { levelOfOutline, type WordStyle } from './word-styles.js';
import { wordSymbol } from './word-symbols.js';
import { referenceOf } from './relations.js';
import { readXml, type XmlHandler } from './xml.js';

type Paragraph = WordStyle & { text: string; style: string; pictures: string[] };

/** What is said elsewhere of how paragraphs look. */
type Looks = { styles: ReadonlyMap<string, WordStyle>; lists: ReadonlyMap<string, WordList> };

/** A row with more text than this lays out a page and is no row of a table. */
const maxRowChars = 4_000;

/**
 * The older form of what stands there too, the place that text was moved from, how a word is pronounced, and how text
 * looked before it was changed.
 */
const unread = new Set(['Fallback', 'moveFrom', 'rt', 'pPrChange', 'rPrChange']);

/**
 * The paragraphs of the body of a Word file or of its notes; a row of a table is one block.
 *
 * @param onObject told which program the objects are of that are only shown as pictures.
 */
export async function* wordBlocks(
  bytes: AsyncIterable<Buffer>,
  looks: Looks = { styles: new Map(), lists: new Map() },
  onObject: (object: EmbeddedObject) => void = () => undefined,
): AsyncGenerator<Block> {
  const found: Block[] = [];
  for await (const _ of readXml(
    bytes,
    wordHandler(looks, (block) => found.push(block), onObject),
  ))
    yield* found.splice(0);
}

const newParagraph = (): Paragraph => ({ text: '', style: '', pictures: [] });

function wordHandler(
  { styles, lists }: Looks,
  emit: (block: Block) => void,
  onObject: (object: EmbeddedObject) => void,
): Required<XmlHandler> {
  /** More than one is open where a text box stands inside of a paragraph. */
  const open: Paragraph[] = [];
  const labels = wordLabels(lists);
  const fields = formFields();
  const table = rowBuilder();
  let tableDepth = 0;
  let rowChars = 0;
  let layout = false;
  /** Depth inside of what is not read: the older form of a text box, notes that are only lines, and {@link unread}. */
  let skipped = 0;
  let inText = false;
  /** Inside of what says how the paragraph looks, its mark among it. */
  let inProperties = false;
  let hidden = false;

  function endParagraph(): void {
    const { text, style, pictures, ...own } = open.pop() ?? newParagraph();
    const look = styles.get(style);
    const level = look?.level ?? own.level;
    const list = own.list || (look?.list ?? own.list);
    const depth = own.depth ?? look?.depth;
    const label = list === undefined ? '' : labels.next(list, depth, style);
    give({ text: text.trim(), level, label: level !== undefined && label === dash ? '' : label });
    for (const shown of pictures) give({ text: shown });
  }

  function give({ text, level, label }: Block): void {
    if (!text) return;
    rowChars += text.length;
    if (tableDepth > 0 && !layout && (level !== undefined || rowChars > maxRowChars)) {
      endRow();
      layout = true;
    }
    if (tableDepth > 0 && !layout) table.add(label && label !== dash ? `${label} ${text}` : text);
    else emit({ text, level, label });
  }

  function endRow(): void {
    const text = layout ? '' : table.end();
    if (text) emit({ text });
  }

  function addText(text: string): void {
    const paragraph = open.at(-1);
    if (paragraph) paragraph.text += text;
  }

  function inParagraph(tag: string, attributes: Record<string, string>): void {
    const value = attributes['w:val'] ?? '';
    const paragraph = open.at(-1);
    if (!paragraph) return;
    fields.open(tag, attributes['w:val']);
    if (tag === 'pStyle') paragraph.style = value;
    else if (tag === 'outlineLvl') paragraph.level = levelOfOutline(value);
    else if (tag === 'numPr') paragraph.list = '';
    else if (tag === 'numId') paragraph.list = value;
    else if (tag === 'ilvl') paragraph.depth = Number(value);
    else if (tag === 'vanish') hidden ||= !inProperties && !/^(0|false|off)$/.test(value);
    else if (tag === 'docPr') paragraph.pictures.push(...pictureText(attributes.descr));
    else if (tag === 'tab') paragraph.text += '\t';
    else if (tag === 'br' || tag === 'cr') paragraph.text += '\n';
    else if (tag === 'noBreakHyphen') paragraph.text += '-';
    else if (tag === 'sym' && !hidden)
      paragraph.text += wordSymbol(attributes['w:font'] ?? '', attributes['w:char'] ?? '');
  }

  return {
    open(tag, attributes) {
      const value = attributes['w:val'] ?? '';
      if (skipped > 0 || unread.has(tag) || /separator/i.test(attributes['w:type'] ?? '')) skipped += 1;
      else if (tag === 'p') open.push(newParagraph());
      else if (tag === 't') inText = true;
      else if (tag === 'pPr') inProperties = true;
      else if (tag === 'tbl') tableDepth += 1;
      else if (tag === 'tr' && tableDepth === 1) {
        table.begin();
        rowChars = 0;
        layout = false;
      } else if (tag === 'tc' && tableDepth === 1) table.cell({});
      else if (tag === 'gridBefore' && tableDepth === 1) table.skip(Number(value));
      else if (tag === 'gridSpan' && tableDepth === 1) table.widen(Number(value));
      else if (tag === 'OLEObject' && attributes.Type !== 'Link')
        onObject({ program: attributes.ProgID ?? '', id: referenceOf(attributes) });
      else inParagraph(tag, attributes);
    },
    text(text) {
      if (inText && !hidden && skipped === 0) addText(text);
    },
    close(tag) {
      if (skipped > 0) {
        skipped -= 1;
        return;
      }
      addText(fields.close(tag));
      if (tag === 't') inText = false;
      else if (tag === 'r') hidden = false;
      // The upper part of a fraction.
      else if (tag === 'num') addText('/');
      else if (tag === 'pPr') inProperties = false;
      else if (tag === 'p') endParagraph();
      else if (tag === 'tr' && tableDepth === 1) endRow();
      else if (tag === 'tbl') tableDepth -= 1;
    },
  };
}
