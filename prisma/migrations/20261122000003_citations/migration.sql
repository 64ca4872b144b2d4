-- Whether replies look things up in the knowledge store.
ALTER TABLE conversations ADD COLUMN knowledge text NOT NULL DEFAULT 'on' CHECK (knowledge IN ('on', 'off'));

-- What a reply has quoted. Rows of their own: they go with the passage, and every reader is shown those only that
-- they may read at that moment.
CREATE TABLE message_citations (
  message_id uuid NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  n integer NOT NULL,
  version_id uuid NOT NULL REFERENCES knowledge_versions (id) ON DELETE CASCADE,
  chunk integer NOT NULL,
  quote text NOT NULL,
  char_start integer NOT NULL,
  char_end integer NOT NULL,
  text_start integer NOT NULL,
  text_end integer NOT NULL,
  PRIMARY KEY (message_id, n)
);
CREATE INDEX message_citations_version_id_idx ON message_citations (version_id);
