/**
 * Helper process: the least that accepts a message durably. An Express 5 handler with express.json and no
 * authentication, one transaction of three inserts through `pg`, then one awaited add to BullMQ.
 */
import type { AddressInfo } from 'node:net';
import { Queue } from 'bullmq';
import express from 'express';
import { Redis } from 'ioredis';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';

const { DATABASE_URL, REDIS_URL, MAX_POOL_SIZE } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(MAX_POOL_SIZE) });
const queue = new Queue('bare', { connection: new Redis(REDIS_URL ?? ''), prefix: 'bare' });

const insertMessage = `INSERT INTO bare_messages (id, conversation_id, seq, role, author_id, content, state)
  VALUES ($1, $2, $3, 'user', $4, $5, 'done')`;
const insertReply = `INSERT INTO bare_replies (id, conversation_id, seq, role, reply_to, state)
  VALUES ($1, $2, $3, 'assistant', $4, 'queued')`;
const insertJob = `INSERT INTO bare_jobs (id, kind, queue, payload, user_id, subject_id)
  VALUES ($1, 'reply-to-message', 'replies', $2, $3, $4)`;

// One number for all conversations stands in for their own: the indexes are as unique as ours.
let seq = 0;

const app = express();
app.use(express.json());
app.post('/conversations/:id/messages', async (req, res) => {
  const { id } = req.params;
  const { content } = req.body as { content: string };
  const [message, reply, job] = [uuidv7(), uuidv7(), uuidv7()];
  seq += 2;
  const place = seq;
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(insertMessage, [message, id, place - 1, id, content]);
    await client.query(insertReply, [reply, id, place, message]);
    await client.query(insertJob, [job, JSON.stringify({ messageId: reply }), id, reply]);
    await client.query('COMMIT');
  } finally {
    client.release();
  }
  await queue.add('reply-to-message', { id: job });
  res.status(202).json({ message, reply, job });
});

const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ ready: true, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
