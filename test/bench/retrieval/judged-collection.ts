import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

/** Documents, queries, and for each query how relevant which documents are: the layout of BEIR. */
export type JudgedCollection = {
  documents: { id: string; title: string; text: string }[];
  queries: { id: string; text: string }[];
  /** By query, then by document; what is not listed is not relevant. */
  judgements: Map<string, Map<string, number>>;
};

const id = z.union([z.string(), z.number()]).transform(String);
const document = z.object({ _id: id, title: z.string().nullish(), text: z.string().nullish() });
const query = z.object({ _id: id, text: z.string() });

/** Where the judgements may be. Where there are several, `test` is what systems are compared by. */
const judgementFiles = ['qrels.tsv', 'qrels/test.tsv', 'qrels/dev.tsv', 'qrels/train.tsv'];

/**
 * Reads `corpus.jsonl`, `queries.jsonl` and `qrels.tsv` or `qrels/test.tsv` of a folder; queries without a relevant
 * document are left out, as is usual.
 *
 * @throws when one of them is missing, or says nothing.
 */
export async function readJudgedCollection(folder: string): Promise<JudgedCollection> {
  const judgements = await readJudgements(folder);
  const documents = (await linesOf(folder, 'corpus.jsonl')).map((line) => document.parse(JSON.parse(line)));
  const queries = (await linesOf(folder, 'queries.jsonl')).map((line) => query.parse(JSON.parse(line)));
  const judged = queries.filter(({ _id }) => judgements.has(_id));
  if (judged.length === 0) throw new Error(`No query in ${folder} has a relevant document.`);
  return {
    documents: documents.map(({ _id, title, text }) => ({ id: _id, title: title ?? '', text: text ?? '' })),
    queries: judged.map(({ _id, text }) => ({ id: _id, text })),
    judgements,
  };
}

async function readJudgements(folder: string): Promise<JudgedCollection['judgements']> {
  const file = judgementFiles.find((name) => existsSync(path.join(folder, name)));
  if (!file) throw new Error(`There is none of ${judgementFiles.join(', ')} in ${folder}.`);
  const judgements: JudgedCollection['judgements'] = new Map();
  for (const line of await linesOf(folder, file)) {
    const columns = line.split('\t').map((column) => column.trim());
    // TREC's own layout has a column between the ids that means nothing.
    const [queryId = '', documentId = '', grade = ''] = columns.length > 3 ? columns.toSpliced(1, 1) : columns;
    // Of a heading it is no number.
    if (!(Number(grade) > 0)) continue;
    const of = judgements.get(queryId) ?? new Map<string, number>();
    judgements.set(queryId, of.set(documentId, Number(grade)));
  }
  return judgements;
}

/** Lines with something on them. Only line feeds end them: JSON may hold the other separators as they are. */
async function linesOf(folder: string, file: string): Promise<string[]> {
  const text = await readFile(path.join(folder, file), 'utf8');
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
}
