-- What everybody used in a month is asked for by admins; without it all that was ever used was read.
CREATE INDEX usage_created_at_idx ON usage (created_at);
