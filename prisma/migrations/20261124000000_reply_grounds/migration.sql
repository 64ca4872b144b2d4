-- Which passages an attempt of a reply was given, noted before the first word that may draw on them: {attempt, passages}.
-- After a crash the reply ends with what its log holds; this says who has to be able to read for that. Null once it ended.
ALTER TABLE messages ADD COLUMN grounds jsonb;
