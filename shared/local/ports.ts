import { createServer } from 'node:net';

/** True when `host` has nobody listening on `port`. */
export function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** The first free port of `port` and the hundred after it. */
export async function nextFree(port: number, host: string): Promise<number> {
  for (let candidate = port; candidate <= port + 100; candidate += 1) {
    if (await isFree(candidate, host)) return candidate;
  }
  throw new Error(`No port from ${port} to ${port + 100} is free.`);
}
