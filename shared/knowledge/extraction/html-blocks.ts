import { Parser } from 'htmlparser2';
import { ExtractionFailed } from './failure.js';
import { listMarks } from './list-marks.js';
import { pictureText } from './picture-text.js';
import type { Block } from './piece.js';
import { rowBuilder } from './table-row.js';

/** Elements whose content nobody reads as text. */
const skipped = new Set(
  // How a Japanese word is read (rt, rp) would be taken for a part of it.
  'script style noscript template svg annotation annotation-xml canvas iframe object nav button select textarea audio video rt rp'.split(
    ' ',
  ),
);
const skippedRoles = /^(navigation|search|menu|menubar|dialog)$/;
const skippedClasses =
  /(^|\s)(mw-(editsection|portlet)|interlanguage-link|navbox|catlinks|printfooter|noprint|sr-only|visually-hidden|breadcrumbs?)(\s|$)/;
const blocks = new Set(
  (
    'address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer ' +
    'header hr li main ol p pre section summary table tbody td th tfoot thead title tr ul h1 h2 h3 h4 h5 h6'
  ).split(' '),
);
/** Elements whose footer is a part of them, unlike that of the page. */
const holders = new Set(['article', 'blockquote', 'main', 'section']);
const maxBlockChars = 32 * 1024;
const maxRowChars = 4_000;
/** Browsers stop at 512; beyond some ten thousand the parser's own list of open elements takes all the time. */
const maxDepth = 10_000;

/** A block of a page, and whether it stands in its main part. */
export type HtmlBlock = Block & { main: boolean };

/**
 * The blocks of an HTML text: paragraphs, headings with their level, list items, and rows of tables in one line.
 * Keeps no tree, so that neither depth nor length of a page matters.
 */
export async function* htmlBlocks(texts: AsyncIterable<{ text: string }>): AsyncGenerator<HtmlBlock> {
  const found: HtmlBlock[] = [];
  let reader: Parser | undefined;
  for await (const { text } of texts) {
    reader ??= blockReader((block) => found.push(block), isXml(text));
    reader.write(text);
    yield* found.splice(0);
  }
  reader?.end();
  yield* found.splice(0);
}

const isXml = (start: string): boolean => /^\ufeff?\s*<\?xml\s/.test(start);

/** @param xml whether any element may end with its own tag: in HTML all that follows `<script/>` is a script. */
function blockReader(emit: (block: HtmlBlock) => void, xml: boolean): Parser {
  let text = '';
  let level: number | undefined;
  /** Where in the text of a heading a link to a place on a page begins. */
  let anchor: number | undefined;
  let skip = 0;
  let main = 0;
  let pre = 0;
  /** What stands before the text of a list item that has just begun. */
  let item = '';
  const lists = listMarks();
  const pictures: string[] = [];
  let rowDepth = 0;
  let rowChars = 0;
  let layout = false;
  let inner = 0;
  let table = rowBuilder();
  /** For each open element, whether it began something that is to be skipped, and whether it is the main part. */
  const marks: { name: string; skips: boolean; main: boolean }[] = [];

  function flush(): void {
    const content = (
      pre > 0 ? text.replace(/^\n/, '').trimEnd() : text.replaceAll(/[^\S\n]+/g, ' ').replaceAll(/ ?\n ?/g, '\n')
    ).trim();
    text = '';
    anchor = undefined;
    if (content) give(item && level === undefined ? `${item} ${content}` : content, level);
    if (content) item = '';
    for (const shown of pictures.splice(0)) give(shown, content ? undefined : level);
  }

  function give(content: string, level: number | undefined): void {
    rowChars += content.length;
    // Headings or long texts in cells: the table only lays out a page.
    if (rowDepth > 0 && !layout && (level !== undefined || rowChars > maxRowChars)) {
      endRow();
      layout = true;
    }
    if (rowDepth > 0 && !layout) {
      table.add(content);
      return;
    }
    emit({ text: content, level, main: main > 0 });
  }

  function endRow(): void {
    const line = layout ? '' : table.end();
    if (line) emit({ text: line, main: main > 0 });
  }

  return new Parser(
    {
      onopentag(name, attributes) {
        // Questions of a list of answers are buttons that open them.
        const opens = name === 'button' && level !== undefined;
        const skips = (!opens && isSkipped(name, attributes)) || (name === 'footer' && inner === 0);
        const isMain = name === 'main' || attributes.role === 'main';
        marks.push({ name, skips, main: isMain });
        if (marks.length > maxDepth) throw new ExtractionFailed('damaged', 'The page is nested too deeply to be read.');
        if (skips) skip += 1;
        if (skip > 0) return;
        if (name === 'br') text += '\n';
        if (name === 'a' && level !== undefined && attributes.href?.includes('#')) anchor = text.length;
        if (name === 'img') pictures.push(...pictureText(attributes.alt));
        if (!blocks.has(name)) return;
        flush();
        if (isMain) main += 1;
        if (holders.has(name)) inner += 1;
        if (name === 'pre') pre += 1;
        else if (name === 'ol' || name === 'ul') lists.begin(name, attributes.start);
        else if (name === 'li') item = lists.next(attributes.value);
        else if (/^h[1-6]$/.test(name)) level = Number(name[1]);
        else if (name === 'tr') {
          rowDepth += 1;
          if (rowDepth > 1) return;
          table.begin();
          rowChars = 0;
          layout = false;
        } else if (/^t[dh]$/.test(name) && rowDepth === 1) table.cell(attributes);
        else if (name === 'table' && rowDepth === 0) table = rowBuilder();
      },
      ontext(data) {
        if (skip > 0) return;
        text += pre > 0 ? data : data.replaceAll(/\s+/g, ' ');
        if (text.length > maxBlockChars) flush();
      },
      onclosetag(name) {
        const mark = marks.pop();
        const wasSkipped = skip > 0;
        if (mark?.skips) skip -= 1;
        if (wasSkipped) return;
        if (name === 'a' && anchor !== undefined) {
          // The sign of a link to the heading itself, as sites of documentation have it.
          if (!/[\p{L}\p{N}]/u.test(text.slice(anchor))) text = text.slice(0, anchor);
          anchor = undefined;
        }
        if (!blocks.has(name)) return;
        flush();
        if (mark?.main) main -= 1;
        if (holders.has(name)) inner -= 1;
        if (name === 'pre') pre = Math.max(0, pre - 1);
        else if (name === 'ol' || name === 'ul') lists.end();
        else if (name === 'li') item = '';
        else if (/^h[1-6]$/.test(name)) level = undefined;
        else if (name === 'tr') {
          if (rowDepth === 1) endRow();
          rowDepth = Math.max(0, rowDepth - 1);
        }
      },
      onend: flush,
    },
    { decodeEntities: true, recognizeSelfClosing: xml, recognizeCDATA: xml },
  );
}

function isSkipped(name: string, attributes: Record<string, string>): boolean {
  if (skipped.has(name)) return true;
  if (name === 'html' || name === 'body' || name === 'main') return false;
  if (name === 'sup' && /(^|\s)reference(\s|$)/.test(attributes.class ?? '')) return true;
  if (name === 'dialog' && !('open' in attributes)) return true;
  return (
    'hidden' in attributes ||
    attributes['aria-hidden'] === 'true' ||
    skippedRoles.test(attributes.role ?? '') ||
    skippedClasses.test(attributes.class ?? '') ||
    /display\s*:\s*none/i.test(attributes.style ?? '')
  );
}
