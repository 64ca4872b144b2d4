CREATE TABLE documents (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id),
  title text NOT NULL,
  access_version integer NOT NULL DEFAULT 0,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX documents_owner_id_idx ON documents (owner_id);

-- What every group of updates changes, under a lock. Apart from the document, because the lock of a row that foreign
-- keys look at (FOR KEY SHARE, by who inserts) is shared, and writers that wait for a shared one can wait in a
-- circle. With room on the page and no index on what changes, updates stay within the page (HOT).
CREATE TABLE document_heads (
  document_id uuid PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
  last_seq bigint NOT NULL DEFAULT 0,
  scheduled_seq bigint NOT NULL DEFAULT 0,
  log_bytes bigint NOT NULL DEFAULT 0,
  edited_at timestamptz(3) NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

CREATE TABLE document_access (
  document_id uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  level text NOT NULL CHECK (level IN ('view', 'edit')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (document_id, user_id)
);
CREATE INDEX document_access_user_id_idx ON document_access (user_id);

-- No foreign key, for the same reason: rows are added under the lock of the head only, and who deletes a document
-- deletes its head before its log.
CREATE TABLE document_updates (
  document_id uuid NOT NULL,
  seq bigint NOT NULL,
  update bytea NOT NULL,
  author_ids uuid[] NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (document_id, seq)
);
-- Yjs encodes densely already: compressing again costs time at every opening and saves little.
ALTER TABLE document_updates ALTER COLUMN update SET STORAGE EXTERNAL;

CREATE TABLE document_clients (
  document_id uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  client_id bigint NOT NULL,
  user_id uuid NOT NULL,
  PRIMARY KEY (document_id, client_id)
);

CREATE TABLE document_versions (
  document_id uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  n integer NOT NULL,
  content bytea NOT NULL,
  author_ids uuid[] NOT NULL,
  reason text NOT NULL CHECK (reason IN ('schedule', 'before-restore')),
  edited_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (document_id, n)
);

CREATE TABLE document_bases (
  document_id uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  seq bigint NOT NULL,
  state bytea NOT NULL,
  read_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (document_id, seq)
);

CREATE TABLE document_suggestions (
  id uuid PRIMARY KEY,
  document_id uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  user_id uuid NOT NULL,
  job_id uuid NOT NULL,
  instruction text NOT NULL,
  base_state bytea NOT NULL,
  range_start integer NOT NULL,
  range_end integer NOT NULL,
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'ready', 'failed', 'cancelled')),
  attempt integer NOT NULL DEFAULT 0,
  model text,
  hunks jsonb NOT NULL DEFAULT '[]',
  error jsonb,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  completed_at timestamptz(3)
);
CREATE INDEX document_suggestions_document_id_idx ON document_suggestions (document_id, created_at);

-- Of an accepted hunk the update that takes it back, whatever was typed since.
CREATE TABLE document_undos (
  suggestion_id uuid NOT NULL REFERENCES document_suggestions (id) ON DELETE CASCADE,
  hunk integer NOT NULL,
  update bytea NOT NULL,
  PRIMARY KEY (suggestion_id, hunk)
);

-- What an edit of a document costs is recorded beside what replies cost.
ALTER TABLE usage ALTER COLUMN conversation_id DROP NOT NULL;
