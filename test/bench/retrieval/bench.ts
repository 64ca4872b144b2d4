import path from 'node:path';
import type { Bench } from '../bench.js';
import { approveEntry, writeEntry } from '../knowledge/entries.js';
import { settledVersions, untilIndexed, untilQuiet } from '../knowledge/progress.js';
import { type KnowledgeSetting, startKnowledge } from '../knowledge/setting.js';
import type { Figure, Target } from '../report.js';
import { severalAtOnce } from '../several.js';
import { hasEmbeddingModel } from '../stage/vector-server.js';
import { bareBm25, textOf } from './bare-bm25.js';
import { type JudgedCollection, readJudgedCollection } from './judged-collection.js';
import { measureQuality, type Quality } from './measures.js';

/** What BM25 with Porter stemming reaches on collections that are much used, nDCG@10. */
const known: Record<string, number> = { cranfield: 0.51, med: 0.68 };

const authors = 4;
const writtenAtOnce = 16;
const approvedAtOnce = 8;
const searchesAtOnce = 2;

/** The most that a request may carry. */
const maxTitle = 300;
const maxContent = 500_000;
const maxQuery = 2_000;

type Mode = 'hybrid' | 'dense' | 'sparse';

/**
 * A judged collection is written into the knowledge store over HTTP, approved, and looked for by somebody else over
 * HTTP: how good what they find is, and what each half of the search finds by itself.
 */
export const retrieval: Bench = {
  about: 'how good search results are, on a judged collection; --data FOLDER in the layout of BEIR',
  needsData: true,
  async run(stage, { data = '' }) {
    const collection = await readJudgedCollection(data);
    const { documents, queries } = collection;
    stage.say(`${documents.length} documents, ${queries.length} queries`);
    // More at once than one user is given, so that large collections take less time; what is found is the same.
    const atOnce = { INGESTION_PER_USER: '4', INGESTION_CONCURRENCY: '8' };
    const setting = await startKnowledge(stage, { authors, env: atOnce });
    const startedAt = performance.now();
    const idOf = await writeAll(setting, collection);
    const seconds = (performance.now() - startedAt) / 1000;
    stage.say(`written, indexed and approved in ${seconds.toFixed(0)} s`);

    const found: Record<string, Quality> = {};
    for (const mode of ['sparse', 'dense', 'hybrid'] as const) {
      const search = (query: string): Promise<string[]> => searchAs(setting, idOf, query, mode);
      found[mode] = await measureQuality(collection, search, searchesAtOnce);
      stage.say(`${mode}: nDCG@10 ${found[mode].ndcg10.toFixed(3)}, recall@100 ${found[mode].recall100.toFixed(3)}`);
    }
    const bare = bareBm25(collection);
    found.bare = await measureQuality(collection, async (query) => bare(query), 1);
    return judge(
      path.basename(path.resolve(data)),
      found as Record<Mode | 'bare', Quality>,
      documents.length / seconds,
    );
  },
};

/** @returns which document an entry is. */
async function writeAll(setting: KnowledgeSetting, { documents }: JudgedCollection): Promise<Map<string, string>> {
  const { stage, web, admin } = setting;
  const idOf = new Map<string, string>();
  // A document without a word is none.
  const written = documents.filter((document) => /\S/.test(textOf(document)));
  const entries = await severalAtOnce(written, writtenAtOnce, async (document, index) => {
    const author = setting.authors[index % setting.authors.length] ?? admin;
    const title = document.title.replace(/\s+/g, ' ').trim().slice(0, maxTitle).trim() || document.id;
    const entry = await writeEntry(web, author, { title, content: storable(textOf(document)).slice(0, maxContent) });
    idOf.set(entry.id, document.id);
    return entry;
  });
  stage.say(`${written.length} entries accepted`);
  await untilIndexed(stage);
  const settled = await settledVersions(stage);
  const ready = entries.filter(({ versionId }) => settled.get(versionId)?.ready);
  if (ready.length < entries.length) stage.say(`${entries.length - ready.length} entries could not be read`);
  await severalAtOnce(ready, approvedAtOnce, ({ id }) => approveEntry(web, admin, id));
  await untilQuiet(stage);
  return idOf;
}

/** Characters that no text of the API may have. */
const storable = (text: string): string => text.replace(/[\0\p{Cs}]/gu, ' ');

/** @returns the documents of the passages that were found, each once, as far as one page goes. */
async function searchAs(
  { web, reader }: KnowledgeSetting,
  idOf: Map<string, string>,
  query: string,
  mode: Mode,
): Promise<string[]> {
  const parameters = new URLSearchParams({ q: storable(query).slice(0, maxQuery), limit: '100' });
  if (mode !== 'hybrid') parameters.set('mode', mode);
  const response = await fetch(`${web.url}/api/v1/knowledge/search?${parameters.toString()}`, {
    headers: { authorization: `Bearer ${reader.token}` },
  });
  if (!response.ok) throw new Error(`The search was answered ${response.status}: ${await response.text()}`);
  const { items } = (await response.json()) as { items: { entryId: string }[] };
  return [...new Set(items.map(({ entryId }) => idOf.get(entryId) ?? ''))];
}

function judge(name: string, found: Record<Mode | 'bare', Quality>, documentsPerSecond: number) {
  const { sparse, dense, hybrid, bare } = found;
  const figures: Figure[] = [
    { name: 'written, indexed and approved', value: documentsPerSecond, unit: 'documents/s' },
    ...qualityFigures('BM25 in memory', bare),
    ...qualityFigures('sparse alone', sparse),
    ...qualityFigures('dense alone', dense),
    ...qualityFigures('fused', hybrid),
  ];
  const target = (what: string, limit: number, relation: Target['relation'] = '≥'): Target => {
    return { name: what, value: hybrid.ndcg10, unit: '', relation, limit };
  };
  const halves = Math.max(sparse.ndcg10, dense.ndcg10);
  return {
    figures,
    targets: hasEmbeddingModel()
      ? [target('fused nDCG@10 against its better half', halves)]
      : [target('fused nDCG@10 against BM25', known[name.toLowerCase()] ?? bare.ndcg10)],
  };
}

const qualityFigures = (name: string, { ndcg10, recall100 }: Quality): Figure[] => [
  { name: `${name}: nDCG@10`, value: ndcg10, unit: '' },
  { name: `${name}: recall@100`, value: recall100, unit: '' },
];
