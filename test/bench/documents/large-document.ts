import * as Y from 'yjs';
import { waitFor } from '../clock.js';
import type { HoldOrder, OpenOrder, Seat } from '../processes/document-editors.js';
import type { BenchProcess } from '../stage/process.js';
import type { Stage, Web } from '../stage/stage.js';
import { median } from '../statistics.js';
import { call, openDocument, residentMb } from './setting.js';
import type { Trace } from './trace.js';

const rowsAtOnce = 5_000;

/** Stores the trace as it would have come: one update an edit. @returns how many. */
export async function storeTrace(stage: Stage, documentId: string, userId: string, trace: Trace): Promise<number> {
  const updates = trace.steps?.().map(({ update }) => update) ?? typedAlone(trace);
  for (let at = 0; at < updates.length; at += rowsAtOnce) {
    await stage.sql.query(
      `INSERT INTO document_updates (document_id, seq, update, author_ids)
       SELECT $1, $2 + n, update, ARRAY[$3::uuid] FROM unnest($4::bytea[]) WITH ORDINALITY AS given (update, n)`,
      [documentId, at, userId, updates.slice(at, at + rowsAtOnce).map((update) => Buffer.from(update))],
    );
  }
  await stage.sql.query('UPDATE document_heads SET last_seq = $2, log_bytes = $3 WHERE document_id = $1', [
    documentId,
    updates.length,
    updates.reduce((bytes, update) => bytes + update.length, 0),
  ]);
  return updates.length;
}

function typedAlone({ patches }: Trace): Uint8Array[] {
  const updates: Uint8Array[] = [];
  const doc = new Y.Doc();
  doc.on('update', (update: Uint8Array) => void updates.push(update));
  const text = doc.getText('content');
  for (const { at, remove, insert } of patches) {
    doc.transact(() => {
      text.delete(at, remove);
      text.insert(at, insert);
    });
  }
  return updates;
}

/** Compacts by the job that the next update asks for. @returns how long the job ran, in milliseconds. */
export async function compactByJob(stage: Stage, seat: Seat, documentId: string): Promise<number> {
  const { content, base } = await call<{ content: string; base: string }>(
    seat.url,
    seat.token,
    'GET',
    `/documents/${documentId}`,
  );
  await call(seat.url, seat.token, 'PATCH', `/documents/${documentId}`, { content: `${content}\n`, base });
  const find = async (): Promise<number | null> => {
    const { rows } = await stage.sql.query<{ ms: number }>(
      `SELECT (extract(epoch FROM finished_at - started_at) * 1000)::float8 AS ms FROM jobs
       WHERE kind = 'compact-document' AND subject_id = $1 AND state = 'done' ORDER BY seq DESC LIMIT 1`,
      [documentId],
    );
    return rows[0]?.ms ?? null;
  };
  await waitFor(async () => (await find()) !== null, 60_000, 'the compaction');
  return (await find()) ?? NaN;
}

/** @returns the median time to open the document, in milliseconds. */
export async function timeToOpen(editors: BenchProcess, seat: Seat, documentId: string): Promise<number> {
  const order: OpenOrder = { seat, documentId, times: 7 };
  const { ms } = await editors.ask<{ ms: number[] }>('open', order);
  return median(ms);
}

/** By how much a web process grows that has many documents open, in megabytes. */
export async function growthByOpening(
  editors: BenchProcess,
  web: Web,
  seat: Seat & { userId: string },
  count: number,
): Promise<number> {
  const here = { ...seat, url: web.url };
  const documentIds: string[] = [];
  for (let made = 0; made < count; made += 1) documentIds.push(await openDocument([here]));
  const order = (some: string[]): HoldOrder => ({ seat: here, documentIds: some });
  // Once before, so that what a first use costs is not counted.
  await editors.ask('hold', order(documentIds.slice(0, 20)));
  await editors.ask('release');
  const before = residentMb(web.pid);
  await editors.ask('hold', order(documentIds));
  const after = residentMb(web.pid);
  await editors.ask('release');
  return after - before;
}
