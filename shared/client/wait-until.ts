import type { Closing } from './closing.js';
import type { DocumentProviderEvents } from './document-provider-types.js';
import type { Emitter, Off } from './emitter.js';
import { ClientError } from './errors.js';

type Options = {
  emitter: Pick<Emitter<DocumentProviderEvents>, 'on'>;
  event: 'synced' | 'saved';
  reached(): boolean;
  closing: Closing;
  /** Why it will not come: the server closed the document, or takes no edits. */
  why(): ClientError | null;
};

/** Waits until `reached` says so, which may change with the event. @throws ClientError when it will not come. */
export async function waitUntil({ emitter, event, reached, closing, why }: Options): Promise<void> {
  while (!reached()) {
    const ended = why();
    if (ended) throw ended;
    if (closing.closed) throw new ClientError('closed', 'The document was closed.');
    const offs: Off[] = [];
    const refusal = await new Promise<ClientError | null>((resolve) => {
      offs.push(emitter.on(event, () => resolve(null)));
      offs.push(emitter.on('refused', (error) => resolve(event === 'saved' ? error : null)));
      offs.push(closing.onClose(() => resolve(null)));
    });
    for (const off of offs) off();
    if (refusal) throw refusal;
  }
}
