import { connect } from 'node:net';

/** One kept connection that does one request at a time. */
export type HttpConnection = {
  /** Resolves with the status when the whole answer is there. */
  send(request: Buffer): Promise<number>;
  close(): void;
};

const headEnd = Buffer.from('\r\n\r\n');

/**
 * Opens a connection that knows of HTTP as much as a load generator needs: answers with a content-length. An HTTP
 * client of Node would take more of the machine than the servers that it is to measure have to spare.
 */
export async function openConnection(url: string): Promise<HttpConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let answered: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined;
  let received: Buffer = Buffer.alloc(0);

  socket.on('data', (data: Buffer) => {
    received = received.length === 0 ? data : Buffer.concat([received, data]);
    const end = received.indexOf(headEnd);
    if (end < 0) return;
    const head = received.toString('latin1', 0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? NaN);
    if (Number.isNaN(length)) return void socket.destroy(new Error(`An answer without a content-length: ${head}`));
    if (received.length < end + headEnd.length + length) return;
    received = Buffer.alloc(0);
    answered?.resolve(Number(head.slice(9, 12)));
    answered = undefined;
  });
  socket.on('error', (error) => answered?.reject(error));
  socket.on('close', () => answered?.reject(new Error('The server closed the connection.')));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });

  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        answered = { resolve, reject };
        socket.write(request);
      }),
    close: () => void socket.destroy(),
  };
}

/** A POST of JSON as it goes over the wire. */
export function postRequest(
  url: string,
  token: string | null,
  body: object,
  headers: Record<string, string> = {},
): Buffer {
  const { host, pathname } = new URL(url);
  const text = JSON.stringify(body);
  const lines = [
    `POST ${pathname} HTTP/1.1`,
    `host: ${host}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    ...(token ? [`authorization: Bearer ${token}`] : []),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${text}`);
}

/** A GET as it goes over the wire. */
export function getRequest(url: string, token: string): Buffer {
  const { host, pathname, search } = new URL(url);
  return Buffer.from(`GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`);
}
