import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to servers that can be cut at any moment, as networks do. */
export type CuttingProxy = {
  url: string;
  /** Breaks the connections of which `which` is true; the clients may connect again. */
  cut(which?: () => boolean): void;
  close(): Promise<void>;
};

/** Passes bytes on to the servers at `urls`, each connection to the next one in turn. */
export async function startCuttingProxy(urls: string[]): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let turn = 0;
  const server = createServer((client) => {
    const { hostname, port } = new URL(urls[turn++ % urls.length] ?? '');
    const upstream = connect(Number(port), hostname);
    open.add(client);
    const end = (): void => {
      open.delete(client);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut(which = () => true) {
      for (const socket of [...open]) if (which()) socket.destroy();
    },
    async close() {
      for (const socket of [...open]) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
