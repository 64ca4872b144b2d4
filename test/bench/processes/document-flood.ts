/** Helper process: editors that send updates as fast as they are acknowledged, over plain Socket.IO. */
import { io, type Socket } from 'socket.io-client';
import * as Y from 'yjs';
import { makeTrace, type Patch, readTrace } from '../documents/trace.js';
import { serveQuestions } from '../stage/messages.js';
import type { Seat, TraceChoice } from './document-editors.js';

export type FloodOrder = {
  seats: Seat[];
  documentId: string;
  trace: TraceChoice;
  /** Updates of one editor that may be without an acknowledgement at a time. */
  window: number;
  ms: number;
  /** Joins before it sends, as Millrace asks for. */
  join: boolean;
};
export type FloodReport = { acknowledged: number; heard: number; elapsedMs: number; refused: string[] };

async function connect({ url, token }: Seat): Promise<Socket> {
  const socket = io(url, { transports: ['websocket'], auth: { token }, reconnection: false, multiplex: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

/** The updates of somebody who types the trace alone, beginning somewhere else for each editor. */
function updatesOf(patches: Patch[], clientId: number, count: number, offset: number): Uint8Array[] {
  const updates: Uint8Array[] = [];
  const doc = new Y.Doc();
  doc.clientID = clientId;
  doc.on('update', (update: Uint8Array) => void updates.push(update));
  const text = doc.getText('content');
  for (let at = offset; updates.length < count; at += 1) {
    const { at: place, remove, insert } = patches[at % patches.length] ?? { at: 0, remove: 0, insert: 'x' };
    const where = Math.min(place, text.length);
    doc.transact(() => {
      text.delete(where, Math.min(remove, text.length - where));
      text.insert(where, insert === '' && remove === 0 ? 'x' : insert);
    });
  }
  return updates;
}

async function flood({ seats, documentId, trace, window, ms, join }: FloodOrder): Promise<FloodReport> {
  const report: FloodReport = { acknowledged: 0, heard: 0, elapsedMs: 0, refused: [] };
  const { patches } = trace.file === null ? makeTrace(trace.length) : readTrace(trace.file);
  // Before anybody connects: who does not answer pings meanwhile is taken for gone.
  const prepared = seats.map((seat, index) => {
    const clientId = 1 + Math.floor(Math.random() * 2 ** 31);
    return { seat, clientId, updates: updatesOf(patches, clientId, 4_000, index * 1_000) };
  });
  const editors = await Promise.all(
    prepared.map(async ({ seat, clientId, updates }) => {
      const socket = await connect(seat);
      socket.on('document:update', () => (report.heard += 1));
      const joined = (await socket.emitWithAck('document:join', { documentId, clientId })) as { ok: boolean };
      if (join && !joined.ok) throw new Error(`The document was not joined: ${JSON.stringify(joined)}`);
      return { socket, updates };
    }),
  );
  const startedAt = performance.now();
  await Promise.all(
    editors.map(async ({ socket, updates }) => {
      let next = 0;
      const line = async (): Promise<void> => {
        while (performance.now() - startedAt < ms && next < updates.length) {
          const update = updates[next++];
          const answer = (await socket.timeout(30_000).emitWithAck('document:update', { documentId, update })) as {
            ok: boolean;
          };
          if (answer.ok) report.acknowledged += 1;
          else report.refused.push(JSON.stringify(answer));
        }
      };
      await Promise.all(Array.from({ length: window }, line));
    }),
  );
  report.elapsedMs = performance.now() - startedAt;
  for (const { socket } of editors) socket.close();
  return { ...report, refused: report.refused.slice(0, 5) };
}

serveQuestions({ flood });
