import { requireAccess } from '../../shared/documents/access.js';
import { checkAwareness, goneUpdate } from '../../shared/documents/check-awareness.js';
import { type CheckedUpdate, checkUpdate } from '../../shared/documents/check-update.js';
import { MalformedUpdate } from '../../shared/documents/byte-reader.js';
import { claimClients, requireOwnClients } from '../../shared/documents/clients.js';
import { fewPieces } from '../../shared/documents/limits.js';
import type { Clocks } from '../../shared/documents/update-needs.js';
import { readLogPage } from '../../shared/documents/log.js';
import { acceptSuggestion, rejectSuggestion, undoSuggestion } from '../../shared/documents/resolve-suggestion.js';
import { AppError, notFound } from '../../shared/errors.js';
import { rooms } from '../../shared/realtime/events.js';
import type { Presence } from '../../shared/realtime/presence.js';
import { documentOf } from '../../shared/realtime/rooms.js';
import { inTurn } from '../../shared/in-turn.js';
import type { WebContext } from '../context.js';
import type { EventHandlers } from './receive-event.js';
import type { Session } from './session.js';
import { enterRoom, leaveRoom } from './socket-rooms.js';

type Handlers = Pick<
  EventHandlers,
  | 'document:join'
  | 'document:resume'
  | 'document:leave'
  | 'document:update'
  | 'document:awareness'
  | 'suggestion:accept'
  | 'suggestion:reject'
  | 'suggestion:undo'
>;

/** What a socket does with a document. The process keeps nothing of the text between two events. */
export function documentRoomHandlers(ctx: WebContext, presence: Presence): Handlers {
  return {
    'document:join': (session, payload) =>
      inTurn(session.turns, rooms.document(payload.documentId), () => join(ctx, presence, session, payload)),
    async 'document:resume'(session, { documentId, after }) {
      if (!session.rooms.has(rooms.document(documentId))) throw notJoined();
      const page = await readLogPage(ctx.database, documentId, after);
      // After it was read: whose right was taken away before that does not get it.
      await requireAccess(ctx.database, documentId, session.principal.userId, 'view');
      return page;
    },
    async 'document:leave'(session, { documentId }) {
      const room = rooms.document(documentId);
      await inTurn(session.turns, room, async () => leaveRoom(ctx, session, room));
      return {};
    },
    'document:update': (session, { documentId, update }) => storeUpdate(ctx, session, documentId, update),
    async 'document:awareness'(session, { documentId, update }) {
      showCursor(ctx, session, documentId, update);
      return {};
    },
    'suggestion:accept': ({ principal }, decision) => acceptSuggestion(ctx, { ...decision, userId: principal.userId }),
    async 'suggestion:reject'({ principal }, decision) {
      await rejectSuggestion(ctx, { ...decision, userId: principal.userId });
      return {};
    },
    'suggestion:undo': ({ principal }, decision) => undoSuggestion(ctx, { ...decision, userId: principal.userId }),
  };
}

const notJoined = (): AppError => notFound('The document, among those that you have joined,');

async function join(
  ctx: WebContext,
  presence: Presence,
  session: Session,
  { documentId, clientId, after = 0 }: { documentId: string; clientId: number; after?: number | undefined },
) {
  const { database } = ctx;
  const { userId } = session.principal;
  const room = rooms.document(documentId);
  const wasIn = session.rooms.has(room);
  // First, so that a stranger does not make this process subscribe to anything.
  if (!wasIn) await requireAccess(database, documentId, userId, 'view');
  // Again, when a revocation would find the reader: one in between was heard by nobody.
  await enterRoom(ctx, session, room, async () => ({
    ...(await requireAccess(database, documentId, userId, 'view')),
    readsFromSeq: 0,
  }));
  try {
    const [foreign] = await claimClients(database, { documentId, userId }, [clientId]);
    if (foreign !== undefined) {
      throw new AppError('conflict', 'The clientId belongs to somebody else in this document. Take another one.');
    }
    clientsOf(session, documentId).set(clientId, session.clients.get(documentId)?.get(clientId) ?? -1);
    // After entering: what is stored from here on is heard, what was before is in this page or in those after it.
    const page = await readLogPage(database, documentId, after);
    // Once more: whose right was taken away before it was read does not get it.
    const { level } = await requireAccess(database, documentId, userId, 'view');
    // Who is here already shows itself to the new one.
    void ctx.publisher.emit(room, 'document:opened', { documentId, userId, clientId }, undefined, session.socket.id);
    return { ...page, level, present: await presence.list(room).catch(() => []) };
  } catch (error) {
    if (!wasIn) leaveRoom(ctx, session, room);
    throw error;
  }
}

/** What somebody types is smaller; to look through more takes time, and first it is asked whether they may edit. */
const keystrokeBytes = 512;

async function storeUpdate(ctx: WebContext, session: Session, documentId: string, update: Uint8Array) {
  const typed = update.byteLength <= keystrokeBytes ? understood(() => checkUpdate(update)) : null;
  // In turn, so that what was sent first is let in first: the next one may need it.
  const checked =
    typed && isKnownToFit(ctx, session, documentId, typed)
      ? typed
      : await inTurn(session.turns, `updates ${documentId}`, () => admitUpdate(ctx, session, documentId, update));
  const ended = ctx.documentClocks.send(documentId, checked.ranges);
  try {
    const stored = await ctx.documents.append(
      { documentId, userId: session.principal.userId, update },
      session.socket.id,
    );
    ended(true);
    return stored;
  } catch (error) {
    ended(false);
    throw error;
  }
}

/** Whether nothing has to be asked or tried: what goes on with what was typed a moment ago. */
function isKnownToFit(
  { documentClocks }: WebContext,
  session: Session,
  documentId: string,
  { ranges, needs, pieces }: CheckedUpdate,
): boolean {
  if (pieces > fewPieces) return false;
  const own = session.clients.get(documentId);
  return ranges.every(({ client }) => own?.has(client)) && documentClocks.has(documentId, needs);
}

/**
 * Looks in Postgres whether an update may be made, and under its client ids, and whether what it needs is there; and
 * tries it, if it may be too much.
 */
async function admitUpdate(
  { database, documentClocks, mergeTrials }: WebContext,
  session: Session,
  documentId: string,
  update: Uint8Array,
): Promise<CheckedUpdate> {
  const owner = { documentId, userId: session.principal.userId };
  // Before anything is counted, claimed or read; the append itself asks again.
  await requireAccess(database, documentId, owner.userId, 'edit');
  const checked = understood(() => checkUpdate(update));
  const { ranges, needs, pieces } = checked;
  const tried = mergeTrials.count(documentId, pieces);
  const isThere = async (clocks: Clocks): Promise<boolean> => {
    if (documentClocks.has(documentId, clocks)) return true;
    await documentClocks.read(documentId);
    return documentClocks.has(documentId, clocks);
  };
  const own = clientsOf(session, documentId);
  const unknown = ranges.filter(({ client }) => !own.has(client));
  if (unknown.length > 0) {
    for (const client of await requireOwnClients(database, owner, unknown, isThere)) own.set(client, -1);
  }
  if (!(await isThere(needs))) {
    throw new AppError(
      'conflict',
      'The update goes on with something that the document does not have. Send that first.',
    );
  }
  if (tried) await mergeTrials.run({ ...owner, update });
  return checked;
}

function showCursor(ctx: WebContext, session: Session, documentId: string, update: Uint8Array): void {
  const room = rooms.document(documentId);
  const known = session.clients.get(documentId);
  if (!session.rooms.has(room) || !known) throw notJoined();
  const shown = understood(() => checkAwareness(update));
  for (const { client } of shown) {
    if (!known.has(client)) throw new AppError('forbidden', `Client ${client} is not yours to show.`);
  }
  for (const { client, clock } of shown) known.set(client, clock);
  void ctx.publisher.emit(room, 'document:awareness', { documentId, update }, undefined, session.socket.id);
}

/** Makes the cursors of a socket disappear that has left a document, however it came to leave. */
export function hideCursor(ctx: Pick<WebContext, 'publisher'>, session: Session, room: string): void {
  const documentId = documentOf(room);
  if (documentId === null) return;
  const shown = session.clients.get(documentId) ?? new Map<number, number>();
  session.clients.delete(documentId);
  for (const [client, clock] of shown) {
    if (clock < 0) continue;
    void ctx.publisher.emit(room, 'document:awareness', { documentId, update: goneUpdate({ client, clock }) });
  }
}

function clientsOf(session: Session, documentId: string): Map<number, number> {
  const clients = session.clients.get(documentId) ?? new Map<number, number>();
  session.clients.set(documentId, clients);
  return clients;
}

function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedUpdate)) throw error;
    throw new AppError('invalid_request', `The update cannot be read: ${error.message}.`);
  }
}
