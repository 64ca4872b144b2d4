import type { Reader } from '../../shared/knowledge/policy.js';
import { withCitations } from '../../shared/knowledge/citations.js';
import type { MessageView } from '../../shared/realtime/events.js';
import type { Sql } from '../../shared/database.js';

/** A message as this reader sees it: with the citations that they may read at this moment. */
export async function citedFor(sql: Sql, reader: Reader, message: MessageView): Promise<MessageView> {
  return (await withCitations(sql, [reader], [message]))[0] ?? message;
}
