-- Since when edits wait to be indexed; null when none do. Set by the first of them, with the job, in the statement
-- that adds it to the log: those that follow cost nothing more.
ALTER TABLE document_heads ADD COLUMN index_asked_at timestamptz(3);

-- The text of a document as it can be searched. No foreign key: what is left of a document that was deleted is
-- removed by a job, which has to know what there is.
CREATE TABLE indexed_documents (
  document_id uuid PRIMARY KEY,
  -- The text whose passages are stored.
  seq bigint NOT NULL,
  -- Raised when points have to be written again: who is writing some does not note them as written.
  revision integer NOT NULL DEFAULT 0,
  chunk_count integer NOT NULL,
  term_count bigint NOT NULL,
  -- The average length of a chunk by which the points were weighed.
  average_length double precision
);

CREATE TABLE document_chunks (
  -- Of the chunk and of its point: it stays while the words stay, wherever they move, and never comes back.
  id uuid PRIMARY KEY,
  document_id uuid NOT NULL,
  -- Its place in the text. Null when it is not in the text any more: the row goes when its point has gone.
  index integer,
  text text NOT NULL,
  heading_path text[] NOT NULL,
  char_start integer NOT NULL,
  char_end integer NOT NULL,
  language text,
  content_hash bytea NOT NULL,
  term_count integer NOT NULL,
  -- When its point was written; null when it has none.
  indexed_at timestamptz(3)
);
CREATE INDEX document_chunks_document_id_index_idx ON document_chunks (document_id, index);
CREATE INDEX document_chunks_content_hash_idx ON document_chunks (content_hash);

-- A reply quotes a passage of a version, or of a document. The passages of a document change with every edit: so the
-- citation itself says where the quote was, and in which text.
ALTER TABLE message_citations ALTER COLUMN version_id DROP NOT NULL;
ALTER TABLE message_citations ADD COLUMN document_id uuid REFERENCES documents (id) ON DELETE CASCADE;
ALTER TABLE message_citations ADD COLUMN document_seq bigint;
ALTER TABLE message_citations ADD COLUMN heading_path text[] NOT NULL DEFAULT '{}';
ALTER TABLE message_citations ALTER COLUMN heading_path DROP DEFAULT;
ALTER TABLE message_citations ADD CHECK ((version_id IS NULL) <> (document_id IS NULL));
ALTER TABLE message_citations ADD CHECK ((document_seq IS NULL) = (document_id IS NULL));
CREATE INDEX message_citations_document_id_idx ON message_citations (document_id);
