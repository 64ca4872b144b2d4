import type { IncomingMessage, Server } from 'node:http';

/**
 * Answers in HTTP/1.1 who offers to go on in another protocol, as Java's client does with HTTP/2: an offer may be ignored
 * (RFC 9110, 7.8). Once a server listens for any upgrade, Node leaves every request that has such a header to that
 * listener, unanswered. Those that nobody takes are given back to it here, without the header.
 *
 * @param isTaken tells of an upgrade that somebody else answers.
 */
export function ignoreUpgrades(server: Server, isTaken: (req: IncomingMessage) => boolean): void {
  server.on('upgrade', (req: IncomingMessage, socket, head: Buffer) => {
    if (isTaken(req)) return;
    const lines = [`${req.method} ${req.url} HTTP/${req.httpVersion}`];
    req.rawHeaders.forEach((name, index, all) => {
      if (index % 2 === 0 && name.toLowerCase() !== 'upgrade') lines.push(`${name}: ${all[index + 1]}`);
    });
    socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
    server.emit('connection', socket);
  });
}
