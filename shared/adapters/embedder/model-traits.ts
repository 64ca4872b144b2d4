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

const known: [pattern: RegExp, traits: Partial<ModelTraits>][] = [
  [/(^|\/)text-embedding-3-/, { fields: (_kind, size) => ({ dimensions: size, encoding_format: 'base64' }) }],
  [/(^|\/)text-embedding-ada-002/, { fields: () => ({ encoding_format: 'base64' }) }],
  [
    /(^|\/)voyage-/,
    { fields: (kind) => ({ input_type: kind === 'query' ? 'query' : 'document', encoding_format: 'base64' }) },
  ],
  [/nomic-embed-text/, { prefix: { passage: 'search_document: ', query: 'search_query: ' } }],
  [/(^|\/)(multilingual-)?e5-(?!.*instruct)/, { prefix: { passage: 'passage: ', query: 'query: ' } }],
  [
    /bge-(small|base|large)-en|mxbai-embed-large|snowflake-arctic-embed(?!.*2)/,
    { prefix: { passage: '', query: search } },
  ],
  [/snowflake-arctic-embed.*2/, { prefix: { passage: '', query: 'query: ' } }],
];

export function traitsOf(model: string): ModelTraits {
  const found = known.find(([pattern]) => pattern.test(model.toLowerCase()));
  return { ...plain, ...found?.[1] };
}
