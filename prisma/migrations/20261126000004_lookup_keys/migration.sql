-- Vectors are looked up by their text. With the model first Postgres took a table that it had not analysed yet for one in
-- which few vectors are of one model, and read all that there were for each passage: beside a user who uploads 400 files
-- that was a third of its work.
ALTER TABLE embeddings DROP CONSTRAINT embeddings_pkey, ADD PRIMARY KEY (content_hash, model);
DROP INDEX embeddings_content_hash_idx;

-- Who looks for jobs of an order key looks for those that wait behind another one. Most keys have none: with 2,000
-- replies in as many conversations every sweep went through 2,000 keys that had nothing to let go.
CREATE INDEX jobs_blocked_idx ON jobs (order_key, seq) WHERE order_key IS NOT NULL AND blocked AND state = 'pending';
DROP INDEX jobs_ordered_idx;
