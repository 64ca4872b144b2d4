import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Sql } from '../../shared/database.js';
import { deleteUnusedVectors } from '../../shared/knowledge/leftovers.js';
import { testDatabase } from '../support/stack.js';

const database = await testDatabase();
const client = new pg.Client({ connectionString: database.url });
const id = '00000000-0000-7000-8000-000000000001';

beforeAll(async () => {
  await client.connect();
  await client.query(`
    INSERT INTO users (id, email, name, password_hash, role) VALUES ('${id}', 'a@example.com', 'A', '', 'power');
    INSERT INTO documents (id, owner_id, title) VALUES ('${id}', '${id}', '');
    INSERT INTO indexed_documents (document_id, seq, chunk_count, term_count) VALUES ('${id}', 1, 1, 1);
    INSERT INTO document_chunks (id, document_id, index, text, heading_path, char_start, char_end, content_hash, term_count)
      VALUES ('${id}', '${id}', 0, '', '{}', 0, 0, 'of a document', 1);
    INSERT INTO knowledge_entries (id, owner_id, title, tags, status, last_version)
      VALUES ('${id}', '${id}', '', '{}', 'draft', 1);
    INSERT INTO knowledge_versions (id, entry_id, n, source, content, size, state, job_id, embedded, indexed, created_by)
      VALUES ('${id}', '${id}', 1, 'text', '', 0, 'ready', '${id}', '{}', '{}', '${id}');
    INSERT INTO knowledge_chunks (version_id, index, text, heading_path, char_start, char_end, content_hash, term_count)
      VALUES ('${id}', 0, '', '{}', 0, 0, 'of an entry', 1);
    INSERT INTO embeddings (model, content_hash, vector) SELECT model, hash::bytea, ''::bytea
      FROM unnest(ARRAY['old', 'new']) AS model, unnest(ARRAY['of a document', 'of an entry', 'gone']) AS hash
      UNION ALL SELECT 'old', ('gone ' || n)::bytea, ''::bytea FROM generate_series(1, 7) AS n`);
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

test('vectors that no passage has go in batches, of every model; those of passages of entries and documents stay', async () => {
  const batch = 3;
  let deleted = 0;
  for (let last = batch; last >= batch; deleted += last) {
    last = await deleteUnusedVectors(client as unknown as Sql, batch);
    expect(last).toBeLessThanOrEqual(2 * batch);
  }
  expect(deleted).toBe(9);
  const { rows } = await client.query(
    `SELECT model, convert_from(content_hash, 'UTF8') AS hash FROM embeddings ORDER BY hash, model`,
  );
  expect(rows.map(({ model, hash }) => `${model}, ${hash}`)).toEqual([
    'new, of a document',
    'old, of a document',
    'new, of an entry',
    'old, of an entry',
  ]);
});
