-- Facts that every process must agree on, by name.
CREATE TABLE settings (
  name text PRIMARY KEY,
  value jsonb NOT NULL,
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);

-- What was uploaded, once for the same bytes however often it is used.
CREATE TABLE files (
  sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
  object_key text NOT NULL,
  size bigint NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX files_object_key_key ON files (object_key);

CREATE TABLE knowledge_entries (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id),
  title text NOT NULL,
  tags text[] NOT NULL,
  status text NOT NULL CHECK (status IN ('draft', 'submitted', 'approved', 'rejected')),
  reason text,
  last_version integer NOT NULL,
  ready_version integer,
  approved_version integer,
  -- Raised by everything that points of the vector store carry: who wrote them compares it afterwards.
  revision integer NOT NULL DEFAULT 0,
  deleted_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX knowledge_entries_owner_id_idx ON knowledge_entries (owner_id);
CREATE INDEX knowledge_entries_tags_idx ON knowledge_entries USING gin (tags);
CREATE INDEX knowledge_entries_approved_idx ON knowledge_entries (id) WHERE approved_version IS NOT NULL;

CREATE TABLE knowledge_versions (
  id uuid PRIMARY KEY,
  entry_id uuid NOT NULL REFERENCES knowledge_entries (id) ON DELETE CASCADE,
  n integer NOT NULL,
  source text NOT NULL CHECK (source IN ('text', 'file')),
  content text,
  file_name text,
  file_sha256 bytea REFERENCES files (sha256),
  size bigint NOT NULL,
  mime_type text,
  state text NOT NULL CHECK (state IN ('ingesting', 'ready', 'failed')),
  error jsonb,
  job_id uuid NOT NULL,
  -- Where reading goes on after a crash, what share of the content lies before it, and whether that is all.
  checkpoint jsonb,
  page integer,
  share double precision NOT NULL DEFAULT 0,
  extracted boolean NOT NULL DEFAULT false,
  chunk_count integer NOT NULL DEFAULT 0,
  term_count bigint NOT NULL DEFAULT 0,
  -- Which chunks have a vector, and which a point: sets, so that what is done twice counts once.
  embedded int4multirange NOT NULL,
  indexed int4multirange NOT NULL,
  -- The average length of a chunk by which the points were weighed.
  average_length double precision,
  created_by uuid NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  ready_at timestamptz(3),
  CHECK ((source = 'text') = (content IS NOT NULL)),
  CHECK ((source = 'file') = (file_sha256 IS NOT NULL))
);
CREATE UNIQUE INDEX knowledge_versions_entry_id_n_key ON knowledge_versions (entry_id, n);
CREATE INDEX knowledge_versions_file_sha256_idx ON knowledge_versions (file_sha256) WHERE file_sha256 IS NOT NULL;
CREATE INDEX knowledge_versions_ingesting_idx ON knowledge_versions (created_at) WHERE state = 'ingesting';

CREATE TABLE knowledge_chunks (
  version_id uuid NOT NULL REFERENCES knowledge_versions (id) ON DELETE CASCADE,
  index integer NOT NULL,
  text text NOT NULL,
  page integer,
  sheet text,
  slide integer,
  heading_path text[] NOT NULL,
  char_start integer NOT NULL,
  char_end integer NOT NULL,
  language text,
  content_hash bytea NOT NULL,
  term_count integer NOT NULL,
  PRIMARY KEY (version_id, index)
);
CREATE INDEX knowledge_chunks_content_hash_idx ON knowledge_chunks (content_hash);

-- A vector for what a text says, float32 in little-endian order: the same words cost one computation.
CREATE TABLE embeddings (
  model text NOT NULL,
  content_hash bytea NOT NULL,
  vector bytea NOT NULL,
  PRIMARY KEY (model, content_hash)
);
CREATE INDEX embeddings_content_hash_idx ON embeddings (content_hash);
