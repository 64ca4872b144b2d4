import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';

/** Longer than any ordinary request takes, shorter than a step of the shutdown may; in milliseconds. */
const defaultLimitMs = 4_500;

/**
 * So long connections may bring one more request, and hear that it is the last, in milliseconds. To Node those are idle
 * whose next request is on its way or not read yet: it would reset them.
 */
const lastRequestMs = 250;

/**
 * Watches the requests of a server, so that it can be closed in order: what is under way is answered, and every
 * connection ends with its answer. A proxy keeps its connections open and sends the next request as soon as one is
 * answered: without a word it would go on doing so until the stores are closed under it.
 *
 * @returns what closes the server; requests that take longer than the limit, such as large uploads, are broken off.
 */
export function watchRequests(server: Server, limitMs = defaultLimitMs): () => Promise<void> {
  const open = new Set<ServerResponse>();
  let closing = false;

  const isLast = (response: ServerResponse): void => {
    if (!response.headersSent) response.setHeader('connection', 'close');
  };
  server.prependListener('request', (request, response) => {
    if (closing) isLast(response);
    open.add(response);
    response.once('close', () => {
      open.delete(response);
      // Its answer had begun before, and promised nothing.
      if (closing) request.socket.end();
    });
  });

  return async () => {
    closing = true;
    for (const response of open) isLast(response);
    // Nobody else can connect from now on. The close of a server for HTTP ends its idle connections at once, too.
    const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
    await delay(lastRequestMs);
    // A busy process has not read what came meanwhile: it does so before this.
    await immediate();
    server.close();
    const limit = setTimeout(() => server.closeAllConnections(), limitMs);
    await closed;
    clearTimeout(limit);
  };
}
