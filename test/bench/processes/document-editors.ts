/** Helper process: people who edit documents, through the product's client. */
import * as Y from 'yjs';
import {
  type Client,
  createClient,
  createDocumentProvider,
  type DocumentProvider,
} from '../../../shared/client/index.js';
import { epochMs, wait } from '../clock.js';
import type { Step } from '../documents/concurrent-trace.js';
import { makeTrace, type Patch, readTrace } from '../documents/trace.js';
import { serveQuestions } from '../stage/messages.js';

/** Where each of the editors is: a server and who they are. */
export type Seat = { url: string; token: string };

export type TraceChoice = { file: string | null; length: number };
export type ReplayOrder = { seats: Seat[]; documentId: string; trace: TraceChoice; turn: number };
export type ReplayReport = { ms: number; texts: string[]; expected: string };
export type LatencyOrder = { seats: Seat[]; documentId: string; perSecond: number; ms: number };
export type LatencyReport = { latencies: Float64Array; equal: boolean; text: string };
export type OpenOrder = { seat: Seat; documentId: string; times: number };
export type HoldOrder = { seat: Seat; documentIds: string[] };

type Editor = { client: Client; provider: DocumentProvider; doc: Y.Doc; text: Y.Text };

async function sit(seat: Seat, documentId: string): Promise<Editor> {
  const client = createClient({ url: seat.url, token: seat.token });
  const doc = new Y.Doc();
  const provider = createDocumentProvider(client, documentId, doc);
  await provider.whenSynced();
  return { client, provider, doc, text: doc.getText('content') };
}

function leave({ provider, client }: Editor): void {
  provider.destroy();
  client.close();
}

function apply(text: Y.Text, patches: Patch[]): void {
  for (const { at, remove, insert } of patches) {
    if (remove > 0) text.delete(at, remove);
    if (insert !== '') text.insert(at, insert);
  }
}

/** Until one has what the other has typed. State vectors would not tell of deletions. */
async function catchUp(one: Y.Text, other: Y.Text): Promise<void> {
  const wanted = other.toString();
  while (one.length !== other.length || one.toString() !== wanted) await wait(1);
}

/** The editors type the trace in turns, each when it has what the one before has typed. */
async function typeInTurns(editors: Editor[], patches: Patch[], turn: number): Promise<void> {
  for (let at = 0, round = 0; at < patches.length; at += turn, round += 1) {
    const editor = editors[round % editors.length] as Editor;
    const before = editors[(round + editors.length - 1) % editors.length] as Editor;
    if (before !== editor) await catchUp(editor.text, before.text);
    apply(editor.text, patches.slice(at, at + turn));
    // Lets what was typed go out, as between keys.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Those who wrote at once are spread over the editors; each writes when what it was written on has come. */
async function writeAtOnce(editors: Editor[], steps: Step[], turn: number): Promise<void> {
  for (const [index, { agent, needs, update }] of steps.entries()) {
    const { doc } = editors[agent % editors.length] as Editor;
    while (needs.some(([client, clock]) => Y.getState(doc.store, client) < clock)) await wait(1);
    Y.applyUpdate(doc, update);
    if (index % turn === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function replay({ seats, documentId, trace, turn }: ReplayOrder): Promise<ReplayReport> {
  const { patches, steps: recorded, endText } = trace.file === null ? makeTrace(trace.length) : readTrace(trace.file);
  const steps = recorded?.();
  const editors = await Promise.all(seats.map((seat) => sit(seat, documentId)));
  const startedAt = performance.now();
  if (steps) await writeAtOnce(editors, steps, turn);
  else await typeInTurns(editors, patches, turn);
  await Promise.all(editors.map(({ provider }) => provider.whenSaved()));
  const ms = performance.now() - startedAt;
  const differs = (): boolean => editors.some(({ text }) => text.toString() !== editors[0]?.text.toString());
  for (let tries = 0; tries < 200 && differs(); tries += 1) await wait(50);
  const texts = editors.map(({ text }) => text.toString());
  editors.forEach(leave);
  return { ms, texts, expected: endText };
}

/** Everybody types at a pace, each at a place of their own; how long until each of the others has it. */
async function latency({ seats, documentId, perSecond, ms }: LatencyOrder): Promise<LatencyReport> {
  const editors = await Promise.all(seats.map((seat) => sit(seat, documentId)));
  const latencies: number[] = [];
  const sentAt = new Map<string, number>();
  for (const { doc } of editors) {
    doc.on('afterTransaction', (transaction: Y.Transaction) => {
      if (transaction.local) return;
      const now = epochMs();
      for (const [client, clock] of transaction.afterState) {
        const from = transaction.beforeState.get(client) ?? 0;
        for (let each = from; each < clock; each += 1) {
          const sent = sentAt.get(`${client} ${each}`);
          if (sent !== undefined) latencies.push(now - sent);
        }
      }
    });
  }
  const until = performance.now() + ms;
  await Promise.all(
    editors.map(async ({ doc, text }, index) => {
      await wait((1000 / perSecond) * (index / editors.length));
      for (let count = 0; performance.now() < until; count += 1) {
        const clock = Y.decodeStateVector(Y.encodeStateVector(doc)).get(doc.clientID) ?? 0;
        sentAt.set(`${doc.clientID} ${clock}`, epochMs());
        text.insert(
          Math.min(text.length, Math.floor((text.length * index) / editors.length)),
          'abcdefghij'.charAt(count % 10),
        );
        await wait((1000 / perSecond) * (0.5 + Math.random()));
      }
    }),
  );
  await Promise.all(editors.map(({ provider }) => provider.whenSaved()));
  const differs = (): boolean => editors.some(({ text }) => text.toString() !== editors[0]?.text.toString());
  for (let tries = 0; tries < 200 && differs(); tries += 1) await wait(50);
  const report = {
    latencies: Float64Array.from(latencies),
    equal: !differs(),
    text: editors[0]?.text.toString() ?? '',
  };
  editors.forEach(leave);
  return report;
}

/** How long it takes to open a document over a connection that is there: from the question until the text is here. */
async function open({ seat, documentId, times }: OpenOrder): Promise<{ ms: number[]; length: number }> {
  const client = createClient({ url: seat.url, token: seat.token });
  await new Promise<void>((resolve) => client.on('connected', () => resolve()));
  const ms: number[] = [];
  let length = 0;
  for (let count = 0; count < times; count += 1) {
    const doc = new Y.Doc();
    const startedAt = performance.now();
    const provider = createDocumentProvider(client, documentId, doc);
    await provider.whenSynced();
    length = doc.getText('content').toString().length;
    ms.push(performance.now() - startedAt);
    provider.destroy();
  }
  client.close();
  return { ms, length };
}

let held: (() => void) | null = null;

/** Opens many documents over a few connections and keeps them open. */
async function hold({ seat, documentIds }: HoldOrder): Promise<number> {
  const perClient = 100;
  const clients: Client[] = [];
  const providers: DocumentProvider[] = [];
  for (let at = 0; at < documentIds.length; at += perClient) {
    const client = createClient({ url: seat.url, token: seat.token });
    clients.push(client);
    const some = documentIds.slice(at, at + perClient).map((id) => createDocumentProvider(client, id, new Y.Doc()));
    await Promise.all(some.map((provider) => provider.whenSynced()));
    providers.push(...some);
  }
  held = () => {
    for (const provider of providers) provider.destroy();
    for (const client of clients) client.close();
  };
  return providers.length;
}

serveQuestions({ replay, latency, open, hold, release: () => held?.() });
