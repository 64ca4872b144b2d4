import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that can be cut and blocked, for one client of it among others. */
export type TcpProxy = {
  /** The server's URL, by this way. */
  url: string;
  /** Breaks every connection and refuses new ones, as if the client's machine were gone. */
  cut(): void;
  /** Lets new connections through again. */
  restore(): Promise<void>;
  /** Connections stay open, but nothing comes through, in either direction, until `unblock`. */
  block(): void;
  unblock(): void;
  /** Connections stay open, and nothing comes through them any more; new ones are as they should be. */
  strand(): void;
  close(): Promise<void>;
};

/** @param url of a server on this machine. */
export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const stranded = new WeakSet<Socket>();
  let blocked = false;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.on('data', (data) => {
        if (!other.write(data)) socket.pause();
      });
      socket.on('drain', () => {
        if (!blocked && !stranded.has(other)) other.resume();
      });
      socket.on('end', () => other.end());
      if (blocked) socket.pause();
    }
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(port);

  const cut = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: through.href.replace(/\/$/, ''),
    cut,
    restore: () => listen(port),
    block() {
      blocked = true;
      for (const socket of sockets) socket.pause();
    },
    unblock() {
      blocked = false;
      for (const socket of sockets) if (!stranded.has(socket)) socket.resume();
    },
    strand() {
      for (const socket of sockets) stranded.add(socket.pause());
    },
    async close() {
      cut();
    },
  };
}
