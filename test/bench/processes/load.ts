/** Helper process: posts messages over kept connections, each as fast as it is answered. */
import { serveQuestions } from '../stage/messages.js';
import { openConnection, postRequest } from './http-connection.js';

/** What one connection posts to, in turn. */
export type Line = { urls: string[]; token: string | null };

export type LoadOrder = {
  lines: Line[];
  /** Bodies, each of them `{content}`, in turn. */
  contents: string[];
  /** How long to go on, in milliseconds; or how many requests each connection does. */
  until: { ms: number } | { requests: number };
};

export type LoadReport = {
  /** Of each request that was answered 202, in milliseconds. */
  latencies: Float64Array;
  elapsedMs: number;
  /** How often each other status was answered. */
  refused: Record<string, number>;
};

async function load({ lines, contents, until }: LoadOrder): Promise<LoadReport> {
  const connections = await Promise.all(lines.map((line) => openConnection(line.urls[0] ?? '')));
  const latencies: number[] = [];
  const refused: Record<string, number> = {};
  const startedAt = performance.now();
  const goesOn = (done: number): boolean =>
    'ms' in until ? performance.now() - startedAt < until.ms : done < until.requests;

  await Promise.all(
    lines.map(async ({ urls, token }, index) => {
      const requests = prepare(urls, token, contents, index);
      for (let done = 0; goesOn(done); done += 1) {
        const sentAt = performance.now();
        const status = await connections[index]?.send(requests[done % requests.length] as Buffer);
        if (status === 202) latencies.push(performance.now() - sentAt);
        else refused[String(status)] = (refused[String(status)] ?? 0) + 1;
      }
    }),
  );
  const elapsedMs = performance.now() - startedAt;
  for (const connection of connections) connection.close();
  return { latencies: Float64Array.from(latencies), elapsedMs, refused };
}

/** Every address with a content, and every content: made before the clock starts. */
function prepare(urls: string[], token: string | null, contents: string[], offset: number): Buffer[] {
  return Array.from({ length: Math.max(urls.length, contents.length) }, (_, index) =>
    postRequest(urls[index % urls.length] ?? '', token, { content: contents[(index + offset) % contents.length] }),
  );
}

serveQuestions({ load });
