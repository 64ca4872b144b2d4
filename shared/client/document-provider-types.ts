import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import type { ServerEvent } from '../realtime/events.js';
import type { Emitter } from './emitter.js';
import type { ClientError } from './errors.js';

export type DocumentProviderEvents = {
  /**
   * Everything that the server had when the document was read over this connection is here; false while it is away.
   * What others write while the server's Redis is away comes with the next edit that is saved, or when that is back.
   */
  synced: boolean;
  /** Everything that was edited here is in the server's database; of a kept Y.Doc this is known with the first sync. */
  saved: boolean;
  /** What one may do, when it is known and when it changes: who may only view should not type. */
  level: 'view' | 'edit';
  joined: { userId: string; name: string };
  left: { userId: string; name: string };
  /** Events about suggestions, titles and the like, as the server sends them; `room:resync` when some may be missed. */
  event: { name: ServerEvent; payload: unknown };
  /** The server refused an edit, or fails at it. It is kept, and with those behind it sent again after the next reconnect. */
  refused: ClientError;
  /** The document may not be read any more or is gone, or the client was closed; nothing more is heard of it. */
  closed: ClientError;
};

/** Keeps a Y.Doc and a document of Millrace the same. */
export type DocumentProvider = Pick<Emitter<DocumentProviderEvents>, 'on'> & {
  readonly documentId: string;
  readonly doc: Y.Doc;
  /** Cursors and names: for the binding of an editor. */
  readonly awareness: Awareness;
  readonly synced: boolean;
  readonly saved: boolean;
  readonly level: 'view' | 'edit' | null;
  /** Why the edits that are not saved are not taken; null when they are on their way, or there are none. */
  readonly refusal: ClientError | null;
  /** Sends again what was refused. */
  retry(): void;
  /** Who has the document open, by id. */
  readonly present: ReadonlyMap<string, { userId: string; name: string }>;
  /** @throws ClientError when the document cannot be opened. */
  whenSynced(): Promise<void>;
  /** Resolves when everything edited so far is saved; waits while there is no connection. @throws ClientError */
  whenSaved(): Promise<void>;
  /**
   * Closes the document. What is not saved yet is sent while the client is open, at the latest when it is closed; whether it
   * was taken is not told. To be sure, wait for {@link whenSaved} before.
   */
  destroy(): void;
};
