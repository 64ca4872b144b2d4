import path from 'node:path';
import iconv from 'iconv-lite';
import { bomOf, controlShare, maxControlShare, wideEncoding } from './byte-order.js';
import type { FileType } from './part.js';

/**
 * Whether the bytes are text in some encoding: hardly any control characters, zeros only as UTF-16 has them, or at the end
 * as systems with files of fixed sizes fill them up.
 */
export function looksLikeText(head: Buffer): boolean {
  if (bomOf(head) !== undefined || wideEncoding(head) !== undefined) return true;
  const text = head.subarray(0, head.findLastIndex((byte) => byte !== 0) + 1);
  return text.length > 0 && controlShare(text) <= maxControlShare;
}

const mailHeader =
  /^(from|to|cc|subject|date|mime-version|message-id|received|return-path|delivered-to|reply-to|content-type|content-transfer-encoding|x-[\w-]+)[ \t]*:/i;
const mailMark = /^(received|message-id|mime-version|return-path|delivered-to|date|from)[ \t]*:/i;
const programMark = /^(received|message-id|mime-version|return-path|delivered-to)[ \t]*:/i;
const htmlMark = /<(!doctype\s+html|html|head|body)[\s>]/i;
const htmlStart = /^<(?:table|div|p|h[1-6]|ul|ol|meta|style|center|font|span)[\s>]/i;
const htmlTags = /<(p|div|span|table|h[1-6]|ul|ol|a|br|title|meta)[\s/>]/i;

/** The kind of text, from what it says and then from its name. */
export function textType(head: Buffer, name?: string): FileType {
  const wide = bomOf(head)?.encoding ?? wideEncoding(head);
  // What tells the kinds apart is ASCII in every encoding.
  const text = iconv.decode(head, wide ?? 'latin1');
  const start = text.slice(0, 4096).trimStart();
  const extension = path.extname(name ?? '').toLowerCase();
  // A list of receivers may be long.
  if (isMail(text.trimStart(), extension)) return 'eml';
  const markdown = /^\.(md|markdown|mdown|mkd)$/.test(extension);
  if (!markdown && start.startsWith('<') && htmlMark.test(start)) return 'html';
  if (/^\.x?html?$/.test(extension) && htmlTags.test(text)) return 'html';
  if (markdown) return 'markdown';
  // Programs export a table as a piece of a page, and name it as a spreadsheet.
  if (!isNamedText(extension) && htmlStart.test(start) && start.includes('</')) return 'html';
  if (/^\.(csv|tsv|tab)$/.test(extension)) return 'csv';
  if (extension === '' && looksLikeTable(text)) return 'csv';
  return 'text';
}

/** A memo also says from whom and to whom it is: what is named a text needs a sign that a mail program wrote it. */
function isMail(start: string, extension: string): boolean {
  const lines = start.replace(/^From .*\r?\n/, '').split(/\r?\n/);
  const headers: string[] = [];
  for (const line of lines) {
    if (/^[ \t]+\S/.test(line) && headers.length > 0) continue;
    if (!/^[\w-]+[ \t]*:/.test(line)) break;
    if (mailHeader.test(line)) headers.push(line);
  }
  const mark = isNamedText(extension) ? programMark : mailMark;
  const enough = headers.length >= 3 || headers.some((header) => /^content-type[ \t]*:[ \t]*multipart\//i.test(header));
  return enough && headers.some((header) => mark.test(header));
}

const isNamedText = (extension: string): boolean =>
  /^\.(txt|text|log|md|markdown|mdown|mkd|csv|tsv|tab)$/.test(extension);

/** Whether every line has the same number of the same separator, at least two of them. */
function looksLikeTable(text: string): boolean {
  const lines = text.split(/\r?\n/).slice(0, 20);
  // The last line of a head may be cut short.
  if (lines.length > 2) lines.pop();
  if (lines.length < 3) return false;
  return [',', ';', '\t'].some((separator) => {
    const counts = new Set(lines.filter(Boolean).map((line) => line.split(separator).length - 1));
    return counts.size === 1 && !counts.has(0) && !counts.has(1);
  });
}
