import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { compactDocument } from '../../shared/documents/compact.js';
import { maxCompactionSteps, maxPlaces, tryEveryPieces } from '../../shared/documents/limits.js';
import { AppError } from '../../shared/errors.js';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { craft, longText, tangled } from '../support/crafted-updates.js';
import { makeDocument, storedText } from '../support/documents.js';
import { connectRaw, type RawSocket } from '../support/sockets.js';

let app: TestApp;
let ada: TestUser;
let socket: RawSocket;

beforeAll(async () => {
  app = await startTestApp();
  ada = await app.registerUser({ name: 'Ada' });
});
afterEach(() => socket.close());
afterAll(() => app.close());

/** Puts updates into the log of a document that were tried by nobody. */
async function smuggle(documentId: string, updates: Uint8Array[]): Promise<void> {
  await app.ctx.database.query(
    `INSERT INTO document_updates (document_id, seq, update, author_ids)
     SELECT $1, 100 + n, update, '{}' FROM unnest($2::bytea[]) WITH ORDINALITY AS given (update, n)`,
    [documentId, updates.map((update) => Buffer.from(update))],
  );
}

/** A document of Ada, open on a plain socket. */
async function scene() {
  const documentId = await makeDocument(app, ada);
  socket = await connectRaw(app.url, ada.accessToken, { timeoutMs: 60_000 });
  expect((await socket.ask('document:join', { documentId, clientId: 2 })).ok).toBe(true);
  const send = (update: Uint8Array) => socket.ask('document:update', { documentId, update });
  const rows = async (): Promise<number> => {
    const { rows: found } = await app.ctx.database.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM document_updates WHERE document_id = $1',
      [documentId],
    );
    return found[0]?.count ?? 0;
  };
  return { documentId, send, rows };
}

/** These take seconds of a processor, which others may be using. */
const busy = { timeout: 180_000 };

const tooMuch = {
  ok: false,
  error: { type: 'payload_too_large', message: expect.stringContaining('too many pieces') },
};

test(
  'an update that would hold up everybody who merges it is refused, at once or piece by piece; a long paste is not',
  busy,
  async () => {
    const { send, rows, documentId } = await scene();
    expect(await send(longText(2, 3_000))).toMatchObject({ ok: true });
    const before = await rows();
    expect(await send(tangled(3, 2, 3_000))).toEqual(tooMuch);
    expect(await rows()).toBe(before);
    const paste = craft([{ client: 4, writes: [{ left: [2, 9], right: [2, 10], text: 'y'.repeat(3_000_000) }] }]);
    expect(await send(paste)).toMatchObject({ ok: true });
    expect((await storedText(app, ada, documentId)).length).toBeGreaterThan(3_000_000);
    // Each is small; those before it count. What follows the first that is too much would be tried as long as it was.
    const answers = [];
    for (let client = 10; client < 24 && answers.at(-1)?.ok !== false; client += 1) {
      answers.push(await send(tangled(client, 2, 600)));
    }
    expect(answers.length).toBeGreaterThan(3);
    expect(answers.at(-1)).toEqual(tooMuch);
  },
);

test(
  'one that takes much of what those before it have left is refused, so that the document can be read',
  busy,
  async () => {
    const { documentId, send } = await scene();
    await smuggle(documentId, [longText(5, 4_000), tangled(6, 5, 1_400)]);
    const elsewhere = Array.from({ length: 880 }, (_, at) => ({
      left: [5, 2_500] as [number, number],
      right: [5, 2_501 + at] as [number, number],
      text: 'a',
    }));
    app.ctx.mergeTrials.count(documentId, tryEveryPieces);
    expect(await send(craft([{ client: 7, writes: elsewhere }]))).toEqual(tooMuch);
    expect(await send(craft([{ client: 8, writes: elsewhere.slice(0, 700) }]))).toMatchObject({ ok: true });
  },
);

test('edits over HTTP in very many places change few, and are tried where they stand beside each other', async () => {
  const { documentId, rows } = await scene();
  const path = `/documents/${documentId}`;
  const text = (sign: string): string => Array.from({ length: 6_000 }, (_, at) => `${at}\n${sign}\n`).join('');
  const patch = (body: object, headers = {}) => app.request('PATCH', path, { token: ada.accessToken, body, headers });
  const { base } = (await patch({ content: text('=') }, { 'if-match': '*' })).body;
  const tried = vi.spyOn(app.ctx.mergeTrials, 'run');
  expect((await patch({ content: text('=a'), base })).body.content).toBe(text('=a'));
  const { rows: log } = await app.ctx.database.query<{ update: Buffer }>(
    'SELECT update FROM document_updates AS log WHERE document_id = $1 ORDER BY log.seq DESC LIMIT 1',
    [documentId],
  );
  expect(Y.decodeUpdate(log[0]?.update ?? Buffer.of()).structs.length).toBeLessThanOrEqual(maxPlaces);
  expect(tried).toHaveBeenCalledTimes(1);
  const before = await rows();
  tried.mockRejectedValueOnce(new AppError('payload_too_large', 'too many pieces'));
  expect((await patch({ content: text('=b'), base })).status).toBe(413);
  expect(await rows()).toBe(before);
  tried.mockRestore();
});

test('one that is in the log all the same stops no process that reads it', busy, async () => {
  const { documentId } = await scene();
  await smuggle(documentId, [longText(5, 4_000), tangled(6, 5, 4_000)]);
  const answer = await app.request('GET', `/documents/${documentId}`, { token: ada.accessToken });
  expect(answer.status).toBe(413);
  expect(answer.body.detail).toContain('entangled');
  expect((await app.request('GET', `/documents/${documentId}/versions`, { token: ada.accessToken })).status).toBe(200);
});

test('what is too much for a reader, a worker still compacts, piece by piece', busy, async () => {
  const { documentId, rows } = await scene();
  const nothing = new Uint8Array([0, 0]);
  const apart = Array.from({ length: 500 }, () => nothing);
  await smuggle(documentId, [longText(5, 2_000), tangled(6, 5, 2_000), ...apart, tangled(7, 5, 1_300)]);
  await expect(compactDocument(app.ctx.database, documentId)).rejects.toThrow('entangled');
  await compactDocument(app.ctx.database, documentId, { steps: maxCompactionSteps });
  expect(await rows()).toBe(1);
});

test('an update of somebody who may not edit is neither looked through nor counted', async () => {
  const { documentId } = await scene();
  const stranger = await app.registerUser({ name: 'Eve' });
  const theirs = await connectRaw(app.url, stranger.accessToken);
  const tried = vi.spyOn(app.ctx.mergeTrials, 'count');
  for (const update of [tangled(3, 2, 3_000), longText(3, 10_000), new Uint8Array(5_000).fill(255)]) {
    expect(await theirs.ask('document:update', { documentId, update })).toMatchObject({ error: { type: 'not_found' } });
  }
  expect(tried).not.toHaveBeenCalled();
  theirs.close();
});
