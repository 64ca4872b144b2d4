-- The words of a title are in the vectors of the points from now on. 0 says that points were weighed by a title that is
-- out of date: workers write those again, without a text being embedded again.
UPDATE knowledge_versions SET average_length = 0 WHERE average_length IS NOT NULL;
UPDATE indexed_documents SET average_length = 0 WHERE average_length IS NOT NULL;
