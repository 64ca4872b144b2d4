import type { Request, Response } from 'express';
import type { Principal } from '../../shared/accounts/principal.js';
import { hasEnded, type MessageRow } from '../../shared/conversations/message.js';
import { AppError } from '../../shared/errors.js';
import type { FollowerPosition } from '../../shared/realtime/reply-follower.js';
import { readPosition } from '../../shared/realtime/reply-reader.js';
import type { WebContext } from '../context.js';
import { endpoint, idParams } from '../endpoint.js';
import { bearerToken } from '../middleware/authenticate.js';
import { findReply, viewOf } from '../realtime/resume-reply.js';
import { eventStreamType, openEventStream } from './event-stream.js';
import { followReply } from './follow-reply.js';

export const streamReply = endpoint({
  method: 'get',
  path: '/messages/:id/stream',
  tag: 'messages',
  auth: 'user',
  summary: 'Read a reply while it is written',
  description:
    'Server-sent events: `started` {attempt} (drop what you have), `delta` {attempt, seq, text}, and last one of ' +
    '`done`, `failed` and `cancelled` {message}. Ids are `<attempt>-<seq>`; with the last one as Last-Event-ID the stream ' +
    'goes on after it. 204 says that you have everything, which also ends a browser’s EventSource. An account may have ' +
    '200 of them open at a time.',
  params: idParams,
  headers: { 'Last-Event-ID': 'The id of the last event that was received: the stream goes on after it.' },
  response: {
    status: 200,
    description: 'The events of the reply, to its end.',
    stream: ['text/event-stream'],
    others: { 204: 'The reply has ended, and Last-Event-ID names its last event.' },
  },
  errors: ['not_found'],
  async handler({ ctx, principal, params, req, res }) {
    const reply = { messageId: params.id, userId: principal.userId };
    const row = await findReply(ctx.database, reply);
    const given = lastEventId(req);
    // Nobody would read the events, and the answer would be open until the reply has ended.
    if (req.method === 'HEAD') return void res.type(eventStreamType).end();
    // An attempt that there has not been would keep everything from the caller.
    const from = given.attempt > row.attempt ? { attempt: 0, seq: 0 } : given;
    if (hasEnded(row)) await sendStored(ctx, principal, row, from, res);
    else await sendRunning(ctx, { principal, token: bearerToken(req) ?? '' }, row, from, res);
  },
});

/** Stands for the end of a reply whose log is gone. */
const endSeq = 2 ** 31 - 1;

const eventId = ({ attempt, seq }: FollowerPosition): string => `${attempt}-${seq}`;

/** @throws AppError `invalid_request` for what was never an id of ours. */
function lastEventId(req: Request): FollowerPosition {
  const header = req.get('last-event-id');
  if (header === undefined || header === '') return { attempt: 0, seq: 0 };
  const match = /^(\d{1,9})-(\d{1,10})$/.exec(header);
  if (!match) throw new AppError('invalid_request', 'Last-Event-ID must be the id of an event of this stream.');
  return { attempt: Number(match[1]), seq: Number(match[2]) };
}

async function sendStored(
  ctx: WebContext,
  principal: Principal,
  row: MessageRow,
  from: FollowerPosition,
  res: Response,
): Promise<void> {
  const log = await readPosition(ctx.redis, row.id).catch(() => null);
  const end = log?.attempt === row.attempt ? log : { attempt: row.attempt, seq: endSeq };
  if (from.attempt === end.attempt && from.seq >= end.seq) {
    res.status(204).end();
    return;
  }
  const message = await viewOf(ctx.database, principal, row);
  const stream = openEventStream(res, { onHeartbeat() {}, onClose() {} });
  stream.send({ id: eventId(end), name: row.state, data: { message } });
  stream.end();
}

type Reader = { principal: Principal; token: string };

async function sendRunning(
  ctx: WebContext,
  reader: Reader,
  row: MessageRow,
  from: FollowerPosition,
  res: Response,
): Promise<void> {
  const following = await followReply(ctx, reader, row, from);
  const stream = openEventStream(res, { onHeartbeat: following.check, onClose: following.stop });
  following.begin({
    started: (attempt) => stream.send({ id: eventId({ attempt, seq: 0 }), name: 'started', data: { attempt } }),
    delta: (text, position) => stream.send({ id: eventId(position), name: 'delta', data: { ...position, text } }),
    ended(message, position) {
      stream.send({ id: eventId(position), name: message.state, data: { message } });
      following.stop();
      stream.end();
    },
    cut: () => stream.end(),
  });
}
