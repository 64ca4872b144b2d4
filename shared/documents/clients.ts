import type { Sql } from '../database.js';
import { AppError } from '../errors.js';
import { unlessDeleted } from './deleted.js';
import type { ClientRange, Clocks } from './update-needs.js';

/**
 * Takes client ids of Yjs for an account; one that nobody has becomes its own. Two accounts that edit under one id
 * would make replicas differ for ever, and one could show a cursor as the other.
 *
 * @returns those that belong to somebody else.
 * @throws AppError `not_found` when the document has been deleted.
 */
export async function claimClients(
  sql: Sql,
  owner: { documentId: string; userId: string },
  clientIds: number[],
): Promise<number[]> {
  const claiming = sql.query<{ clientId: number }>({
    name: 'claim-document-clients',
    text: `
WITH claimed AS (
  INSERT INTO document_clients AS known (document_id, client_id, user_id)
  SELECT $1, id, $2 FROM (SELECT DISTINCT unnest($3::bigint[]) AS id ORDER BY id) AS ids
  ON CONFLICT (document_id, client_id) DO UPDATE SET user_id = known.user_id
  RETURNING client_id, user_id
) SELECT client_id::float8 AS "clientId" FROM claimed WHERE user_id <> $2`,
    values: [owner.documentId, owner.userId, clientIds],
  });
  const { rows } = await unlessDeleted(claiming);
  return rows.map(({ clientId }) => clientId);
}

/**
 * Checks under whose client ids an update was made. What others did may come along, as clients send that send all
 * they have; it has to be in the document already.
 *
 * @param isThere whether these operations are in the document.
 * @returns the client ids that are the sender's.
 * @throws AppError `forbidden` for new operations in the name of somebody else.
 */
export async function requireOwnClients(
  sql: Sql,
  owner: { documentId: string; userId: string },
  ranges: ClientRange[],
  isThere: (clocks: Clocks) => Promise<boolean>,
): Promise<number[]> {
  const foreign = new Set(
    await claimClients(
      sql,
      owner,
      ranges.map(({ client }) => client),
    ),
  );
  for (const { client, to } of ranges) {
    if (!foreign.has(client) || (await isThere(new Map([[client, to]])))) continue;
    throw new AppError('forbidden', `The update holds operations of client ${client}, which belongs to somebody else.`);
  }
  return ranges.map(({ client }) => client).filter((client) => !foreign.has(client));
}
