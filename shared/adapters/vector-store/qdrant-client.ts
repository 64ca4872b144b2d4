import { QdrantClient } from '@qdrant/js-client-rest';

export type QdrantSettings = {
  url: string;
  apiKey: string | undefined;
  /** Milliseconds until a request is given up. */
  timeoutMs?: number;
};

/** Qdrant's own port, which its addresses leave out. */
const defaultPort = 6333;

/** The official client. It opens connections when it needs them and has nothing to close. */
export function createQdrantClient({ url, apiKey, timeoutMs = 30_000 }: QdrantSettings): QdrantClient {
  const { protocol, hostname, pathname } = new URL(url);
  const prefix = pathname.replace(/\/+$/, '');
  return new QdrantClient({
    url: `${protocol}//${hostname}`,
    port: portOf(url),
    ...(prefix ? { prefix } : {}),
    timeout: timeoutMs,
    // Given as `apiKey`, the client writes a warning to the console wherever Qdrant is reached without TLS.
    ...(apiKey ? { headers: { 'api-key': apiKey } } : {}),
    checkCompatibility: false,
  });
}

/** A URL object hides a port that is its protocol's own: `https://…:443` must not become port 6333. */
function portOf(url: string): number {
  const port = /^https?:\/\/(?:[^/@]*@)?(?:\[[^\]]*\]|[^/:]*):(\d+)/.exec(url)?.[1];
  return port === undefined ? defaultPort : Number(port);
}
