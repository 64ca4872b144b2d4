import type { Response } from 'express';

export const eventStreamType = 'text/event-stream; charset=utf-8';

/** Server-sent events to one client. */
export type EventStream = {
  send(event: { id: string; name: string; data: unknown }): void;
  /** Ends the answer; the client sees an orderly end, and comes back unless it had enough. */
  end(): void;
};

/** Proxies cut connections on which nothing comes; in milliseconds. */
const heartbeatMs = 15_000;

/** What may wait for one client, in bytes. Who reads slower is cut off, and resumes where it was. */
const maxWaitingBytes = 1024 * 1024;

/** After how many milliseconds a browser comes back. */
const retryMs = 1_000;

/** @param onHeartbeat called with each heartbeat; @param onClose called once when the connection has ended. */
export function openEventStream(
  res: Response,
  { onHeartbeat, onClose }: { onHeartbeat(): void; onClose(): void },
): EventStream {
  res.writeHead(200, {
    'content-type': eventStreamType,
    'cache-control': 'no-store',
    // For nginx, which else gathers what should go out at once.
    'x-accel-buffering': 'no',
  });
  res.write(`retry: ${retryMs}\n\n`);
  const heartbeat = setInterval(() => {
    write(': still here\n\n');
    onHeartbeat();
  }, heartbeatMs);
  const close = (): void => {
    clearInterval(heartbeat);
    onClose();
  };
  // The client may have gone while the answer was prepared.
  if (res.socket?.destroyed ?? true) close();
  else res.once('close', close);

  function write(text: string): void {
    if (res.writableEnded || res.destroyed) return;
    res.write(text);
    if (res.writableLength > maxWaitingBytes) res.destroy();
  }

  return {
    // JSON has no line breaks, so that one data line is enough.
    send: ({ id, name, data }) => write(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`),
    end: () => void res.end(),
  };
}
