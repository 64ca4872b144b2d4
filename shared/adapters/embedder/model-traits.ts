import type { TextKind } from './embedder.js';

/** What a model wants beyond the texts. An OpenAI-compatible API has no common way to say it, the name must do. */
export type ModelTraits = {
  /** Put before each text: these models were trained with it and are clearly worse without. */
  prefix: Record<TextKind, string>;
  /** Further fields of the request. */
  fields: (kind: TextKind, size: number) => Record<string, unknown>;
};

const plain: ModelTraits = { prefix: { passage: '', query: '' }, fields: () => ({}) };
const search = 'Represent this sentence for searching relevant passages: ';
const instruct = 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:';

const forQueries = (query: string): Partial<ModelTraits> => ({ prefix: { passage: '', query } });

/** As the cards of the models say, under the names that they have at their makers, at Hugging Face and in Ollama. */
const known: [pattern: RegExp, traits: Partial<ModelTraits>][] = [
  [/(^|\/)text-embedding-3-/, { fields: (_kind, size) => ({ dimensions: size, encoding_format: 'base64' }) }],
  [/(^|\/)text-embedding-ada-002/, { fields: () => ({ encoding_format: 'base64' }) }],
  [
    /(^|\/)voyage-/,
    {
      fields: (kind, size) => ({
        input_type: kind === 'query' ? 'query' : 'document',
        encoding_format: 'base64',
        // Of any other size it is better to be told what the model makes.
        ...([256, 512, 2_048].includes(size) ? { output_dimension: size } : {}),
      }),
    },
  ],
  [/(^|\/)jina-embeddings-v[3-9]/, { fields: (kind) => ({ task: `retrieval.${kind}` }) }],
  [/nv-embedqa|nemoretriever.*embed|nemotron.*embed/, { fields: (kind) => ({ input_type: kind }) }],
  [/qwen3-embedding/, forQueries(instruct)],
  [/embeddinggemma/, { prefix: { passage: 'title: none | text: ', query: 'task: search result | query: ' } }],
  [/nomic-embed-text/, { prefix: { passage: 'search_document: ', query: 'search_query: ' } }],
  [/(^|\/)(multilingual-)?e5-.*instruct|gte-qwen2-.*instruct/, forQueries(`${instruct} `)],
  [/(^|\/)(multilingual-)?e5-/, { prefix: { passage: 'passage: ', query: 'query: ' } }],
  [/bge-(small|base|large)-zh/, forQueries('为这个句子生成表示以用于检索相关文章：')],
  // In the names of Ollama a size follows, which may have a 2 in it as well.
  [/snowflake-arctic-embed(2|.*-v2)/, forQueries('query: ')],
  [/bge-(small|base|large)|mxbai-embed-large|snowflake-arctic-embed/, forQueries(search)],
];

export function traitsOf(model: string): ModelTraits {
  const found = known.find(([pattern]) => pattern.test(model.toLowerCase()));
  return { ...plain, ...found?.[1] };
}
