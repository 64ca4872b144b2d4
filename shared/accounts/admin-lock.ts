import type { Sql } from '../database.js';

/** Any number that nothing else locks. */
const adminLock = 0x6d696c6c; // "mill"

/**
 * Who is admin is decided by one transaction at a time: the first account, and the last admin, are facts about
 * the whole table that no row lock protects. Held until the transaction ends.
 */
export async function lockAdmins(tx: Sql): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [adminLock]);
}
