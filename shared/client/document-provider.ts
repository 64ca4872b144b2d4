import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { ServerEvent, ServerEventPayloads } from '../realtime/events.js';
import type { Client } from './client.js';
import { takeNewClientId } from './client-id.js';
import { createClosing } from './closing.js';
import { createCursors } from './cursors.js';
import type { DocumentProvider, DocumentProviderEvents } from './document-provider-types.js';
import { createEmitter } from './emitter.js';
import { backoffMs, ClientError } from './errors.js';
import { createKeptEdits } from './kept-edits.js';
import { toBytes } from './merge-updates.js';
import { createOutbox } from './outbox.js';
import { createPeople } from './people.js';
import { readLog } from './read-log.js';
import { requireSameYjs } from './same-yjs.js';
import { createSeenSeqs } from './seen-seqs.js';
import { shareDocument } from './shared-documents.js';
import { waitUntil } from './wait-until.js';

/** Updates that overtake each other are put in order by Yjs; only what stays away is asked for, after so many milliseconds. */
const gapMs = 250;

/**
 * Keeps `doc` and a document the same, across reconnects: edits made here are sent until they are acknowledged, and
 * what happened meanwhile is fetched. The text is `doc.getText('content')`; give it to any binding for Y.Text.
 * A Y.Doc that was kept (in IndexedDB, a file) may be given: what the server lacks of it is sent.
 * One of another copy of Yjs is refused with a TypeError.
 */
export function createDocumentProvider(
  { connection }: Pick<Client, 'connection'>,
  id: string,
  doc: Y.Doc,
  options: { awareness?: Awareness } = {},
): DocumentProvider {
  requireSameYjs(doc);
  const documentId = id.toLowerCase(); // as the server spells it in its events
  const emitter = createEmitter<DocumentProviderEvents>();
  const closing = createClosing();
  const origin = {};
  const awareness = options.awareness ?? new Awareness(doc);
  const seen = createSeenSeqs();
  const people = createPeople((person, here) => emitter.emit(here ? 'joined' : 'left', person));
  const kept = createKeptEdits(doc);
  const share = shareDocument(connection, documentId);
  let ended: ClientError | null = null;
  let level: 'view' | 'edit' | null = null;
  let synced = false;
  let saved = !kept.unsure;
  let syncing: Promise<void> | null = null;
  let again = false;
  let gapTimer: ReturnType<typeof setTimeout> | undefined;

  const outbox = createOutbox({
    connection,
    documentId,
    onStored(seq, update) {
      seen.add(seq);
      share.tell('document:update', { seq, update });
      noticeGap(); // What others wrote before it is not heard of while the server's Redis is away.
    },
    onChange: lookIfSaved,
    // What was typed right before the document was closed is sent all the same, and nobody is there to be told.
    onRefused: (error) => closing.closed || emitter.emit('refused', error),
  });
  const cursors = createCursors({ connection, documentId, awareness, origin, share });

  /** A kept Y.Doc may hold edits that the server lacks: before they are compared nothing is promised. */
  function lookIfSaved(): void {
    const value = outbox.isEmpty() && !kept.unsure;
    if (saved === value) return;
    saved = value;
    emitter.emit('saved', value);
  }

  function setSynced(value: boolean): void {
    if (synced === value) return;
    synced = value;
    emitter.emit('synced', value);
  }

  function setLevel(value: 'view' | 'edit'): void {
    if (level === value) return;
    const before = level;
    level = value;
    emitter.emit('level', value);
    if (before === 'view') outbox.retry();
  }

  function apply(updates: Uint8Array[]): void {
    kept.received(updates);
    doc.transact(() => updates.forEach((update) => Y.applyUpdate(doc, update, origin)), origin);
  }

  const log = { connection, documentId, seen, closing, apply };

  /** Joins, and reads until nothing is missing; once more if it is called meanwhile. */
  function sync(): void {
    again = true;
    syncing ??= (async () => {
      for (let tries = 0; again && !closing.closed; tries += 1) {
        again = false;
        try {
          await join();
          tries = 0;
        } catch (error) {
          if (!(error instanceof ClientError) || error.type === 'closed') return;
          if (error.type !== 'conflict') return end(error);
          takeNewClientId(doc, awareness);
          again = true;
          await closing.pause(backoffMs(tries));
        }
      }
    })().finally(() => (syncing = null));
  }

  async function join(): Promise<void> {
    people.expectList();
    const { clientID: clientId } = doc;
    const joined = await connection.request('document:join', { documentId, clientId, after: seen.upTo() });
    // Let in only after it had left, as when the server had asked to try again.
    if (closing.closed) return share.leave();
    people.takeList(joined.present);
    await readLog(log, joined);
    if (closing.closed) return;
    setLevel(joined.level);
    const lacking = kept.take();
    if (lacking) outbox.add(lacking);
    lookIfSaved();
    outbox.flush();
    cursors.appear();
    if (connection.session()) setSynced(true);
  }

  function noticeGap(): void {
    if (!seen.hasGap() || gapTimer) return;
    gapTimer = setTimeout(() => {
      gapTimer = undefined;
      if (!seen.hasGap()) return;
      // Joining again would tell who is here, which the server does not know without its Redis.
      if (syncing) sync();
      else void readLog(log, null).catch(() => closing.closed || sync());
    }, gapMs);
  }

  function end(error: ClientError): void {
    if (closing.closed) return;
    ended = error;
    destroy();
    emitter.emit('closed', error);
  }

  function take(name: ServerEvent, payload: unknown): void {
    const { documentId: its, room } = payload as { documentId?: string; room?: string };
    if (its !== documentId && room !== `document:${documentId}`) return;
    switch (name) {
      case 'document:update': {
        const { seq, update } = payload as ServerEventPayloads['document:update'];
        apply([toBytes(update)]);
        seen.add(seq);
        noticeGap();
        break;
      }
      case 'document:awareness':
        cursors.take((payload as ServerEventPayloads['document:awareness']).update);
        break;
      case 'document:opened':
        cursors.show();
        break;
      case 'document:access': {
        const change = payload as ServerEventPayloads['document:access'];
        if (change.userId === connection.session()?.userId) setLevel(change.level);
        break;
      }
      case 'user:joined':
        people.change(payload as ServerEventPayloads['user:joined'], true);
        break;
      case 'user:left':
        people.change(payload as ServerEventPayloads['user:left'], false);
        break;
      // A change that is too large for everybody at once, or an event that was missed: all ask, not at one moment.
      case 'document:changed':
      case 'room:resync':
        setTimeout(sync, Math.random() * 300);
        if (name === 'room:resync') emitter.emit('event', { name, payload });
        break;
      case 'access:revoked':
      case 'document:deleted':
        end(new ClientError('not_found', 'The document may not be read any more, or is gone.'));
        break;
      default:
        emitter.emit('event', { name, payload });
    }
  }

  const edited = (update: Uint8Array, from: unknown): void => {
    if (from !== origin) outbox.add(update);
  };
  doc.on('update', edited);
  const lost = (): void => {
    setSynced(false);
    cursors.forget();
  };
  const offs = [
    connection.on('event', ({ name, payload }) => take(name, payload)),
    connection.on('connected', sync),
    connection.on('disconnected', lost),
    connection.onClosed(end),
  ];
  if (connection.session()) sync();

  function destroy(): void {
    if (closing.closed) return;
    closing.close();
    clearTimeout(gapTimer);
    for (const off of offs) off();
    doc.off('update', edited);
    lost();
    cursors.close();
    if (!options.awareness) awareness.destroy();
    share.release();
  }

  const when = (event: 'synced' | 'saved', reached: () => boolean): Promise<void> =>
    waitUntil({ emitter, event, reached, closing, why: () => ended ?? (event === 'saved' ? outbox.refusal() : null) });

  return {
    on: emitter.on,
    documentId,
    doc,
    awareness,
    present: people.present,
    get synced() {
      return synced;
    },
    get saved() {
      return saved;
    },
    get level() {
      return level;
    },
    get refusal() {
      return outbox.refusal();
    },
    retry: () => outbox.retry(),
    whenSynced: () => when('synced', () => synced),
    whenSaved: () => when('saved', () => saved),
    destroy,
  };
}
