-- The suggestions of a document are listed by their ids, which are in the order of time. By the time itself Postgres sorted
-- all that a document ever had for each page.
CREATE INDEX document_suggestions_document_id_id_idx ON document_suggestions (document_id, id);
DROP INDEX document_suggestions_document_id_idx;
