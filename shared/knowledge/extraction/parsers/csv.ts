import { parse } from 'csv-parse';
import { decodeFile } from '../decode-file.js';
import { encodingOf } from '../encoding.js';
import { damaged, ExtractionFailed } from '../failure.js';
import type { Piece } from '../piece.js';
import { tableRows } from '../table.js';
import type { Source } from './parser.js';
import { readText } from './text.js';

const maxRowChars = 1024 * 1024;
const sampleChars = 16 * 1024;

/**
 * A table of text: one line per row, cells apart by ` | `, its first row as the heading. When quotation marks do
 * not pair they are no marks of quotation, and a file named a table that has no rows of sensible length is text. Read
 * twice: that shows at the end of a row which may begin anywhere, when much has been given out.
 */
export async function* readCsv(source: Source): AsyncGenerator<Piece> {
  for (const quotes of [true, false]) {
    if (await isTable(source, quotes)) return yield* readTable(source, quotes);
  }
  yield* readText(source);
}

async function isTable(source: Source, quotes: boolean): Promise<boolean> {
  try {
    for await (const _ of readTable(source, quotes)) source.onAdvance();
    return true;
  } catch (error) {
    if (error instanceof ExtractionFailed) return false;
    throw error;
  }
}

async function* readTable({ path, size }: Source, quotes: boolean): AsyncGenerator<Piece> {
  const encoding = await encodingOf(path);
  let done = 0;
  let parser: ReturnType<typeof parse> | undefined;
  const rows: string[][] = [];
  const table = tableRows({}, () => done);
  const quote = quotes && !encoding.oddQuotes ? '"' : null;
  // People write a space behind a comma, and a quotation mark behind that.
  const settings = { quote, ltrim: true, relax_quotes: true, relax_column_count: true };
  for await (const { text, bytes } of decodeFile(path, encoding.name)) {
    done = bytes / size;
    const told = parser ? null : /^\ufeff?sep=(.)(?:\r\n|\r|\n)/i.exec(text);
    const delimiter = told?.[1] ?? delimiterOf(text);
    parser ??= start(parse({ ...settings, delimiter, max_record_size: maxRowChars }), rows);
    await feed(parser, told ? text.slice(told[0].length) : text);
    yield* table.add(rows.splice(0));
  }
  if (parser) await finish(parser);
  yield* table.add(rows.splice(0));
  yield* table.end();
}

type CsvParser = ReturnType<typeof parse>;

function start(parser: CsvParser, rows: string[][]): CsvParser {
  parser.on('data', (row: string[]) => rows.push(row));
  return parser;
}

async function feed(parser: CsvParser, text: string): Promise<void> {
  await settled(parser, (callback) => parser.write(text, callback));
}

async function finish(parser: CsvParser): Promise<void> {
  await settled(parser, (callback) => parser.end(callback));
}

function settled(parser: CsvParser, act: (callback: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(damaged('CSV', error));
    parser.once('error', fail);
    act((error) => {
      // The listener stays when there was an error: the parser tells it after the callback.
      if (error) return fail(error);
      parser.off('error', fail);
      resolve();
    });
  });
}

/** Stands in no text: a list of sentences, some of which have a comma, is a table of one column. */
const none = '\u001f';

/** The separator that cuts most lines into the same number of cells. */
function delimiterOf(text: string): string {
  const lines = text
    .slice(0, sampleChars)
    .replaceAll(/"[^"]*"/g, '')
    .split(/\r?\n/)
    .filter((line) => line.trim())
    .slice(0, 50);
  let best = { delimiter: none, score: 0 };
  for (const delimiter of [',', ';', '\t', '|', '^', '~']) {
    const counts = lines.map((line) => line.split(delimiter).length - 1);
    const usual = counts.toSorted((a, b) => a - b)[Math.floor(counts.length / 2)] ?? 0;
    if (usual === 0) continue;
    const score = counts.filter((count) => count === usual).length * 100 + usual;
    if (score > best.score) best = { delimiter, score };
  }
  return best.delimiter;
}
