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

const document = z.object({ _id: z.string(), title: z.string().default(''), text: z.string() });
const query = z.object({ _id: z.string(), text: z.string() });

/**
 * Reads `corpus.jsonl`, `queries.jsonl` and `qrels.tsv` of a folder; queries without a relevant document are left
 * out, as is usual.
 */
export async function readJudgedCollection(folder: string): Promise<JudgedCollection> {
  const lines = async (file: string): Promise<string[]> =>
    (await readFile(path.join(folder, file), 'utf8')).split('\n').filter(Boolean);
  const judgements = new Map<string, Map<string, number>>();
  for (const line of (await lines('qrels.tsv')).slice(1)) {
    const [queryId = '', documentId = '', grade] = line.split('\t');
    if (Number(grade) <= 0) continue;
    const of = judgements.get(queryId) ?? new Map<string, number>();
    judgements.set(queryId, of.set(documentId, Number(grade)));
  }
  const documents = (await lines('corpus.jsonl')).map((line) => document.parse(JSON.parse(line)));
  const queries = (await lines('queries.jsonl')).map((line) => query.parse(JSON.parse(line)));
  return {
    documents: documents.map(({ _id, title, text }) => ({ id: _id, title, text })),
    queries: queries.filter(({ _id }) => judgements.has(_id)).map(({ _id, text }) => ({ id: _id, text })),
    judgements,
  };
}
