-- When that of an entry changed last which its readers see. Of updated_at they would know that there is a newer version,
-- or that one was sent back.
ALTER TABLE knowledge_entries ADD COLUMN shown_at timestamptz(3);
UPDATE knowledge_entries AS entry SET shown_at = greatest(version.ready_at, version.created_at)
FROM knowledge_versions AS version WHERE version.entry_id = entry.id AND version.n = entry.approved_version;
