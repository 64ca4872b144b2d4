-- When the first of the edits was made that a compacted row holds and no version does. Its own time is that of the newest:
-- counted from there, a text that was typed so fast that it was compacted every few minutes came into no version.
ALTER TABLE document_updates ADD COLUMN begun_at timestamptz(3);
