import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RequestError } from './errors.js';
import { operations } from './operations.js';
import { openStore } from './store.js';

/** A running stand-in. */
export type QdrantServer = {
  url: string;
  port: number;
  /** Ends open connections and waits until all changes are in their files. */
  stop(): Promise<void>;
};

type Options = {
  /** Where the points are kept. */
  dir: string;
  /** Default: any free port. Loopback only. */
  port?: number;
  /** Requests must carry it then: web pages in a browser of this machine reach loopback ports too. */
  apiKey?: string;
};

/** What Qdrant takes unless told otherwise. */
const maxBodyBytes = 32 * 1024 * 1024;
/** Of the API that the stand-in speaks a part of. */
const version = '1.18.0';

const routes = operations.map(({ method, path, run }) => ({
  method,
  pattern: new RegExp(`^${path.replace('{name}', '([^/]+)')}$`),
  run,
}));

/** Starts a server on loopback that speaks the part of Qdrant's REST API that Millrace uses. */
export async function startQdrantServer({ dir, port = 0, apiKey }: Options): Promise<QdrantServer> {
  const store = await openStore(dir);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (path === '/healthz' || path === '/livez' || path === '/readyz')
      return void response.end('healthz check passed');
    if (path === '/') return sendJson(response, 200, { title: 'stand-in for qdrant', version });
    try {
      if (apiKey !== undefined && request.headers['api-key'] !== apiKey) {
        throw new RequestError(401, 'Must provide an API key or an Authorization bearer token');
      }
      const route = routes.find(({ method, pattern }) => method === request.method && pattern.test(path));
      if (!route) throw new RequestError(404, `the stand-in for Qdrant does not know ${request.method} ${path}`);
      const name = decodeURIComponent(route.pattern.exec(path)?.[1] ?? '');
      const result = await route.run(store, name, await readJson(request));
      sendJson(response, 200, { result, status: 'ok', time: (performance.now() - started) / 1_000 });
    } catch (error) {
      const status = error instanceof RequestError ? error.status : 500;
      const message = error instanceof Error ? error.message : String(error);
      sendJson(response, status, { status: { error: message }, time: (performance.now() - started) / 1_000 });
    }
  }

  const server = createServer((request, response) => {
    // What fails here is the connection; there is nobody left to tell.
    answer(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await store.close();
    },
  };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size <= maxBodyBytes) parts.push(part);
  }
  if (size > maxBodyBytes) throw new RequestError(413, 'Payload error: JSON payload is larger than allowed');
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new RequestError(400, 'Format error in JSON body: not valid JSON');
  }
}
