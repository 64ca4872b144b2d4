import type { MessageView } from './events.js';

/**
 * One entry of a reply's log. Entry ids are `<attempt>-<seq>`: `started` has seq 0, deltas count from 1, and
 * the end has the seq after the last delta.
 *
 * - `started`: an attempt begins; what older attempts said is void.
 * - `delta`: the next piece of text.
 * - `restored`: the texts of deltas 1 to seq, written at once after the log was lost in mid-stream.
 * - `end`: the reply is done, failed or cancelled, and `message` is how it was stored.
 */
export type ReplyFrame =
  | { type: 'started'; attempt: number; seq: 0 }
  | { type: 'delta'; attempt: number; seq: number; text: string }
  | { type: 'restored'; attempt: number; seq: number; texts: string[] }
  | { type: 'end'; attempt: number; seq: number; state: EndState; message: MessageView };

export type EndState = 'done' | 'failed' | 'cancelled';

/** Which reply a frame is of, and where its readers are. */
export type ReplyAddress = {
  messageId: string;
  conversationId: string;
  /** The reply's place in the conversation: members who read from a later one get none of it. */
  messageSeq: number;
};
