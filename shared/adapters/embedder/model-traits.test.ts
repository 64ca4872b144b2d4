import { expect, test } from 'vitest';
import { traitsOf } from './model-traits.js';

const instruct = 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:';
const represent = 'Represent this sentence for searching relevant passages: ';

test.each([
  ['Qwen/Qwen3-Embedding-0.6B', '', instruct],
  ['qwen3-embedding:4b', '', instruct],
  ['google/embeddinggemma-300m', 'title: none | text: ', 'task: search result | query: '],
  ['nomic-embed-text:v1.5', 'search_document: ', 'search_query: '],
  ['intfloat/e5-base-v2', 'passage: ', 'query: '],
  ['intfloat/multilingual-e5-large', 'passage: ', 'query: '],
  ['intfloat/multilingual-e5-large-instruct', '', `${instruct} `],
  ['BAAI/bge-base-en-v1.5', '', represent],
  ['bge-large', '', represent],
  ['BAAI/bge-large-zh-v1.5', '', '为这个句子生成表示以用于检索相关文章：'],
  ['bge-m3', '', ''],
  ['mxbai-embed-large', '', represent],
  ['Snowflake/snowflake-arctic-embed-m-v1.5', '', represent],
  ['snowflake-arctic-embed:22m', '', represent],
  ['snowflake-arctic-embed2:568m', '', 'query: '],
  ['Snowflake/snowflake-arctic-embed-l-v2.0', '', 'query: '],
  ['text-embedding-3-large', '', ''],
  ['jina-embeddings-v3', '', ''],
])('before texts of %s stands "%s", before queries "%s"', (model, passage, query) => {
  expect(traitsOf(model).prefix).toEqual({ passage, query });
});

test.each([
  ['jina-embeddings-v3', { task: 'retrieval.query' }, { task: 'retrieval.passage' }],
  ['nvidia/nv-embedqa-e5-v5', { input_type: 'query' }, { input_type: 'passage' }],
  ['voyage-3.5', { input_type: 'query', output_dimension: 256 }, { input_type: 'document', output_dimension: 256 }],
  ['text-embedding-3-small', { dimensions: 256 }, { dimensions: 256 }],
])('%s is told in fields what a text is for', (model, query, passage) => {
  expect(traitsOf(model).fields('query', 256)).toMatchObject(query);
  expect(traitsOf(model).fields('passage', 256)).toMatchObject(passage);
});

test('Voyage is not asked for a size that it does not make', () => {
  expect(traitsOf('voyage-3.5').fields('query', 1_536)).not.toHaveProperty('output_dimension');
});
