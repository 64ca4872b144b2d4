/**
 * Helper process: the least that keeps a shared document. A Socket.IO server of one process, without authentication,
 * that inserts updates through `pg` in groups of up to 10 ms, acknowledges, and sends them to the others.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { Server } from 'socket.io';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.MAX_POOL_SIZE) });
const groupMs = 10;

type Waiting = { documentId: string; update: Buffer; done: () => void };
type Ack = (answer: object) => void;

let waiting: Waiting[] = [];

async function flush(): Promise<void> {
  const group = waiting;
  waiting = [];
  await pool.query('INSERT INTO bare_updates (document_id, update) SELECT * FROM unnest($1::uuid[], $2::bytea[])', [
    group.map(({ documentId }) => documentId),
    group.map(({ update }) => update),
  ]);
  for (const { done } of group) done();
}

const http = createServer();
const io = new Server(http, { maxHttpBufferSize: 16 * 1024 * 1024 });
io.on('connection', (socket) => {
  socket.on('document:join', ({ documentId }: { documentId: string }, ack: Ack) => {
    void socket.join(documentId);
    ack({ ok: true });
  });
  socket.on('document:update', ({ documentId, update }: { documentId: string; update: Buffer }, ack: Ack) => {
    if (waiting.length === 0) setTimeout(() => void flush(), groupMs);
    const done = (): void => {
      ack({ ok: true });
      socket.to(documentId).emit('document:update', { documentId, update });
    };
    waiting.push({ documentId, update, done });
  });
});
http.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ ready: true, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }));
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
