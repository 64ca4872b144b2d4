import { io, type Socket } from 'socket.io-client';
import type { ServerEventPayloads } from '../../shared/realtime/events.js';
import { epochMs } from './clock.js';

/** What one client heard of one reply, with the time of each event in epoch milliseconds. */
export type ReplyRecord = {
  messageId: string;
  started: { attempt: number; at: number }[];
  deltas: { attempt: number; seq: number; text: string; at: number }[];
  ends: { event: string; attempt: number; seq: number; content: string; at: number }[];
};

/** A socket in rooms of conversations that notes down what it hears of replies. */
export type Follower = {
  replies: Map<string, ReplyRecord>;
  /** Lost connections and the like: after one of them events may be missing. */
  interruptions: string[];
  close(): void;
};

const connectLimitMs = 20_000;

/** Connects and joins. @throws when either is refused. */
export async function follow(webUrl: string, token: string, conversationIds: readonly string[]): Promise<Follower> {
  const socket = io(webUrl, { auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  const follower = listen(socket);
  for (const conversationId of conversationIds) {
    const answer = (await socket.timeout(connectLimitMs).emitWithAck('conversation:join', { conversationId })) as {
      ok: boolean;
    };
    if (!answer.ok) throw new Error(`Joining was refused: ${JSON.stringify(answer)}`);
  }
  return follower;
}

function listen(socket: Socket): Follower {
  const replies = new Map<string, ReplyRecord>();
  const interruptions: string[] = [];
  const recordOf = (messageId: string): ReplyRecord => {
    let record = replies.get(messageId);
    if (!record) replies.set(messageId, (record = { messageId, started: [], deltas: [], ends: [] }));
    return record;
  };
  socket.on('reply:started', ({ messageId, attempt }: ServerEventPayloads['reply:started']) => {
    recordOf(messageId).started.push({ attempt, at: epochMs() });
  });
  socket.on('reply:delta', ({ messageId, attempt, seq, text }: ServerEventPayloads['reply:delta']) => {
    recordOf(messageId).deltas.push({ attempt, seq, text, at: epochMs() });
  });
  for (const event of ['reply:done', 'reply:failed', 'reply:cancelled'] as const) {
    socket.on(event, ({ messageId, attempt, seq, message }: ServerEventPayloads['reply:done']) => {
      recordOf(messageId).ends.push({ event, attempt, seq, content: message.content, at: epochMs() });
    });
  }
  socket.on('disconnect', (reason) => interruptions.push(`disconnected: ${reason}`));
  socket.on('room:resync', () => interruptions.push('events may have been missed'));
  return {
    replies,
    interruptions,
    close() {
      socket.removeAllListeners();
      socket.disconnect();
    },
  };
}

/**
 * What is wrong with a reply as it was heard from its start: gaps, repetitions, attempts out of order, an end that is
 * missing or told twice, a text that is not the stored one. Empty when it is as it should be.
 */
export function problemsOf(record: ReplyRecord): string[] {
  const problems: string[] = [];
  let attempt = 0;
  let seq = 0;
  let text = '';
  const events = [
    ...record.started.map((event) => ({ ...event, kind: 'started' as const })),
    ...record.deltas.map((event) => ({ ...event, kind: 'delta' as const })),
  ].sort((a, b) => a.attempt - b.attempt || seqOf(a) - seqOf(b));
  for (const event of events) {
    if (event.kind === 'started') {
      if (event.attempt === attempt) problems.push(`attempt ${attempt} was started twice`);
      attempt = event.attempt;
      seq = 0;
      text = '';
    } else {
      if (event.attempt !== attempt) problems.push(`a delta of attempt ${event.attempt}, which was not started`);
      if (event.seq !== seq + 1) problems.push(`delta ${event.seq} of attempt ${attempt} came after delta ${seq}`);
      seq = event.seq;
      text += event.text;
    }
  }
  // Sorted, to see what is missing or double; as they came, to see what is out of order.
  if (!isSorted(record.deltas)) problems.push('deltas came out of order');
  const [end] = record.ends;
  if (record.ends.length !== 1 || !end) problems.push(`it ended ${record.ends.length} times`);
  else if (end.event !== 'reply:done') problems.push(`it ended as ${end.event}`);
  else if (end.content !== text) problems.push(`heard were ${text.length} characters, stored ${end.content.length}`);
  return problems;
}

const seqOf = (event: { kind: 'started' } | { kind: 'delta'; seq: number }): number =>
  event.kind === 'started' ? 0 : event.seq;

const isSorted = (deltas: ReplyRecord['deltas']): boolean =>
  deltas.every((delta, index) => {
    const before = deltas[index - 1];
    return !before || before.attempt < delta.attempt || (before.attempt === delta.attempt && before.seq < delta.seq);
  });
