/** Helper process: sends requests that were made before, over kept connections, each as fast as it is answered. */
import { serveQuestions } from '../stage/messages.js';
import { openConnection } from './http-connection.js';

export type RequestsOrder = {
  /** Where the connections go. */
  url: string;
  /** What is sent, as it goes over the wire; the connections take them in turn. */
  requests: Uint8Array[];
  connections: number;
};

export type RequestsReport = {
  /** Of each request that was answered 200, in milliseconds. */
  latencies: Float64Array;
  elapsedMs: number;
  /** How often each other status was answered. */
  refused: Record<string, number>;
};

async function send({ url, requests, connections: count }: RequestsOrder): Promise<RequestsReport> {
  const connections = await Promise.all(Array.from({ length: count }, () => openConnection(url)));
  const latencies: number[] = [];
  const refused: Record<string, number> = {};
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      for (let request = requests[next++]; request; request = requests[next++]) {
        const sentAt = performance.now();
        const status = await connection.send(Buffer.from(request.buffer, request.byteOffset, request.byteLength));
        if (status === 200) latencies.push(performance.now() - sentAt);
        else refused[String(status)] = (refused[String(status)] ?? 0) + 1;
      }
    }),
  );
  const elapsedMs = performance.now() - startedAt;
  for (const connection of connections) connection.close();
  return { latencies: Float64Array.from(latencies), elapsedMs, refused };
}

serveQuestions({ send });
