import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What one request is answered instead of vectors; `hold` lets it wait until the process that asked is gone. */
export type Refusal = { status: number; headers?: Record<string, string> } | 'hold' | undefined;

/** A stand-in for any service that speaks `/v1/embeddings`. */
export type EmbeddingsApi = {
  url: string;
  /** Settings of the processes that are to use it. */
  env: Record<string, string>;
  /** How often each text was embedded. */
  embedded: Map<string, number>;
  /** How many requests wait for nothing at this moment. */
  held(): number;
  stop(): Promise<void>;
};

const vectorSize = 64;

/** @param refuse asked before each request, which is the n-th from 1. */
export async function startEmbeddingsApi(
  refuse: (n: number, body: string) => Refusal = () => undefined,
): Promise<EmbeddingsApi> {
  const embedded = new Map<string, number>();
  let requests = 0;
  let held = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      requests += 1;
      const body = Buffer.concat(parts).toString();
      const refusal = refuse(requests, body);
      if (refusal === 'hold') {
        held += 1;
        response.once('close', () => (held -= 1));
        return;
      }
      if (refusal) {
        response.writeHead(refusal.status, refusal.headers).end('{"error":{"message":"not now"}}');
        return;
      }
      const { input } = JSON.parse(body) as { input: string[] };
      for (const text of input) embedded.set(text, (embedded.get(text) ?? 0) + 1);
      const data = input.map((text, index) => ({ index, embedding: vectorOf(text) }));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    env: { EMBEDDING_URL: url, EMBEDDING_MODEL: 'stand-in', QDRANT_VECTOR_SIZE: String(vectorSize) },
    embedded,
    held: () => held,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Numbers that only this text has. */
function vectorOf(text: string): number[] {
  const digest = createHash('sha512').update(text).digest();
  return Array.from({ length: vectorSize }, (_, index) => (digest[index] ?? 0) / 255 - 0.5);
}
