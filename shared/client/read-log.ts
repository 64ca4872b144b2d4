import type { Closing } from './closing.js';
import type { Connection } from './connection.js';
import { unpack } from './merge-updates.js';
import type { SeenSeqs } from './seen-seqs.js';

type Page = Parameters<typeof unpack>[0] & { seq: number; more: boolean };

type Options = {
  connection: Pick<Connection, 'request'>;
  documentId: string;
  seen: SeenSeqs;
  closing: Closing;
  apply(updates: Uint8Array[]): void;
};

/** Reads the log of a document that was joined, to its end. @param first the page that came with joining it. */
export async function readLog(
  { connection, documentId, seen, closing, apply }: Options,
  first: Page | null,
): Promise<void> {
  for (let page = first; !closing.closed;) {
    page ??= await connection.request('document:resume', { documentId, after: seen.upTo() });
    apply(unpack(page));
    seen.raise(page.seq);
    if (!page.more) return;
    page = null;
  }
}
