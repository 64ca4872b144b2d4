import type { Email } from 'postal-mime';
import { decodeBytes } from '../decode-file.js';
import { htmlBlocks } from '../html-blocks.js';
import type { Block } from '../piece.js';

/** A text so many times shorter than the page beside it only says that there is one. */
const stubRatio = 5;

/** How much of a mail is searched for how its lines are cut, in bytes. */
const searchedBytes = 64 * 1024;

/** What a mail says: its text, or the blocks of its page where there is no text that says as much. */
export async function bodyOf({ text = '', html = '' }: Email, mail: Buffer): Promise<Block[]> {
  const flowed = /\bformat[ \t]*=[ \t]*"?flowed/i.test(mail.subarray(0, searchedBytes).toString('latin1'));
  const plain = flowed ? withoutInnerMarks(text) : text;
  const page = html ? await blocksOf(html) : [];
  const said = page.reduce((sum, block) => sum + block.text.length + 1, -1);
  return said > plain.trim().length * stubRatio ? page : [{ text: plain }];
}

/** Mail programs cut the lines of what they quote too, and the mark of a line that was joined stays in its middle. */
function withoutInnerMarks(text: string): string {
  return text.replaceAll(/^(>+) .*$/gm, (line, marks: string) => line.replaceAll(` ${marks} `, ' '));
}

async function blocksOf(html: string): Promise<Block[]> {
  async function* all(): AsyncGenerator<{ text: string }> {
    yield { text: html };
  }
  const blocks: Block[] = [];
  for await (const block of htmlBlocks(all())) blocks.push(block);
  return blocks;
}

/**
 * A value whose texts have the signs that Windows added to Latin-1, as the euro, dashes and quotation marks: some
 * versions of Node decode `windows-1252` as Latin-1, which has controls in their places.
 */
export function withWindowsSigns<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll(/[\u0080-\u009f]/g, signOf) as T;
  if (Array.isArray(value)) return value.map(withWindowsSigns) as T;
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withWindowsSigns(each)])) as T;
}

const signOf = (control: string): string => decodeBytes(Buffer.from(control, 'latin1'), 'windows-1252');
