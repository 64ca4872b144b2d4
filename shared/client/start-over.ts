import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { Client } from './client.js';
import { createDocumentProvider } from './document-provider.js';
import type { DocumentProvider } from './document-provider-types.js';

type Change = { retain?: number; delete?: number; insert?: unknown; attributes?: object };

/** The server may look longer at an edit of more pieces; of so many it never does. */
const mostChanges = 500;

/**
 * Opens a document anew in an empty Y.Doc, in place of a provider whose edits are refused: what was edited after the one
 * that is refused goes on with it, and is never taken either. The old provider is closed; its Y.Doc stays as it is.
 *
 * @param options `keep`, unless it is false, makes what the server lacks of the text again, as one new edit; formats come
 * along, embeds and whatever else the Y.Doc holds do not. `awareness` as for a provider.
 * @throws ClientError when the document cannot be opened; the old provider is then as it was.
 */
export async function startOver(
  client: Pick<Client, 'connection'>,
  refused: DocumentProvider,
  doc: Y.Doc,
  { keep = true, ...options }: { keep?: boolean; awareness?: Awareness } = {},
): Promise<DocumentProvider> {
  const provider = createDocumentProvider(client, refused.documentId, doc, options);
  try {
    await provider.whenSynced();
  } catch (error) {
    provider.destroy();
    throw error;
  }
  if (keep) doc.getText('content').applyDelta(changesBetween(doc, refused.doc));
  refused.destroy();
  return provider;
}

/** What a Y.Doc has beyond another one, as changes of the other one's text. */
function changesBetween(before: Y.Doc, beyond: Y.Doc): Change[] {
  const both = new Y.Doc();
  Y.applyUpdate(both, Y.encodeStateAsUpdate(before));
  const text = both.getText('content');
  const old = text.toString();
  let changes: Change[] = [];
  text.observe((event) => (changes = event.delta));
  Y.applyUpdate(both, Y.encodeStateAsUpdate(beyond));
  both.destroy();
  return joinNearest(
    changes.filter(({ insert }) => insert === undefined || typeof insert === 'string'),
    old,
  );
}

/** Makes those changes one that have the least between them, if there are many. */
function joinNearest(changes: Change[], old: string): Change[] {
  const gaps = changes.slice(1).flatMap(({ retain }) => retain ?? []);
  const tooMany = gaps.length - mostChanges;
  if (tooMany < 0) return changes;
  const widest = gaps.sort((one, other) => one - other)[tooMany] ?? 0;
  const joined: Change[] = [];
  let at = 0;
  let open = { insert: '', delete: 0 };
  const close = (): void => {
    if (open.insert !== '') joined.push({ insert: open.insert });
    if (open.delete > 0) joined.push({ delete: open.delete });
    open = { insert: '', delete: 0 };
  };
  for (const [index, { retain = 0, delete: removed = 0, insert = '' }] of changes.entries()) {
    if (retain > widest || (index === 0 && retain > 0)) {
      close();
      joined.push({ retain });
    } else {
      open.insert += retain > 0 ? old.slice(at, at + retain) : String(insert);
      open.delete += retain + removed;
    }
    at += retain + removed;
  }
  close();
  return joined;
}
