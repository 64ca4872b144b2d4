import { Redis } from 'ioredis';
import type { Envelope } from '../../shared/realtime/publisher.js';

/** An event of a reply, as it was published. */
export type HeardEvent = {
  event: string;
  attempt: number;
  seq: number;
  text: string;
  state?: string;
  content?: string;
};

/** What the readers of every conversation were sent about replies, in the order in which it was published. */
export type Heard = {
  of(messageId: string): HeardEvent[];
  /** All events so far. */
  count(): number;
  close(): void;
};

/** @param redisUrl a Redis that is up now; after an outage it hears again by itself. */
export async function hearReplies(redisUrl: string): Promise<Heard> {
  const heard = new Map<string, HeardEvent[]>();
  let count = 0;
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
  redis.on('pmessage', (_pattern: string, _channel: string, text: string) => {
    const { e, p } = JSON.parse(text) as Envelope;
    if (!e.startsWith('reply:')) return;
    count += 1;
    const payload = p as {
      messageId: string;
      attempt: number;
      seq?: number;
      text?: string;
      message?: { content: string };
    };
    const event: HeardEvent = {
      event: e.slice('reply:'.length),
      attempt: payload.attempt,
      seq: payload.seq ?? 0,
      text: payload.text ?? '',
      content: payload.message?.content,
    };
    heard.set(payload.messageId, [...(heard.get(payload.messageId) ?? []), event]);
  });
  await redis.psubscribe('millrace:room:conversation:*');
  return { of: (messageId) => heard.get(messageId) ?? [], count: () => count, close: () => redis.disconnect() };
}

/**
 * What is wrong with the events of a reply that was heard from its start to its end, in words; empty when nothing
 * is: attempts only rise, each begins with `started`, its deltas count from 1 without a gap or a repetition, and
 * the end comes once, last, with the text that the deltas of its attempt make.
 */
export function faultsOf(events: readonly HeardEvent[]): string[] {
  const faults: string[] = [];
  let attempt = 0;
  let seq = 0;
  let text = '';
  let ends = 0;
  for (const [index, event] of events.entries()) {
    const where = `event ${index} (${event.event} ${event.attempt}-${event.seq})`;
    if (ends > 0) faults.push(`${where} comes after the end`);
    if (event.event === 'started') {
      if (event.attempt <= attempt) faults.push(`${where} comes after attempt ${attempt}`);
      ({ attempt } = event);
      seq = 0;
      text = '';
    } else if (event.event === 'delta') {
      if (event.attempt !== attempt || event.seq !== seq + 1) faults.push(`${where} comes after ${attempt}-${seq}`);
      ({ seq } = event);
      text += event.text;
    } else {
      ends += 1;
      if (event.attempt === attempt && event.content !== text) faults.push(`${where} has another text than was heard`);
    }
  }
  if (ends !== 1) faults.push(`${ends} ends were heard`);
  return faults;
}
