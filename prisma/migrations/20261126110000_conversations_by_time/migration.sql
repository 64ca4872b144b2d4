-- Who has opened 50,000 conversations waited a second for the newest fifty: all of them were looked at. The own ones are
-- read in the order of the list, and only those of others are looked at one by one.
CREATE INDEX conversations_owner_id_last_message_at_id_idx ON conversations (owner_id, last_message_at, id);
DROP INDEX conversations_owner_id_idx;
ALTER TABLE conversation_members ADD COLUMN owns boolean NOT NULL DEFAULT false;
UPDATE conversation_members SET owns = true FROM conversations WHERE id = conversation_id AND owner_id = user_id;
CREATE INDEX conversation_members_guests_idx ON conversation_members (user_id, conversation_id) WHERE NOT owns;
