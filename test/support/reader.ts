import { type Client, createClient, type Reply } from '../../shared/client/index.js';

/** Somebody who reads a conversation with the product's client, and notes what comes of each reply. */
export type TestReader = {
  client: Client;
  /** What came of a reply: the deltas put together, and how often the text was put right after the fact. */
  seen(messageId: string): { assembled: string; corrections: number; attempts: number[] } | undefined;
  /** The text that the client has when the reply has ended. */
  finished(messageId: string): Promise<string>;
  close(): void;
};

type Seen = { reply: Reply; assembled: string; corrections: number; attempts: number[] };

export async function startReader(
  options: Parameters<typeof createClient>[0] & { conversationId: string },
): Promise<TestReader> {
  const client = createClient(options);
  const replies = new Map<string, Seen>();
  const waiting = new Map<string, (() => void)[]>();

  function note(reply: Reply): void {
    const seen: Seen = { reply, assembled: reply.text, corrections: 0, attempts: [] };
    let begun = false;
    replies.set(reply.messageId, seen);
    reply.on('started', ({ attempt }) => {
      seen.attempts.push(attempt);
      begun = true;
    });
    reply.on('text', ({ delta, reset }) => {
      if (reset && !begun) seen.corrections += 1;
      seen.assembled = reset ? delta : seen.assembled + delta;
      begun = false;
    });
    for (const tell of waiting.get(reply.messageId) ?? []) tell();
  }

  const conversation = await client.join(options.conversationId);
  conversation.on('reply', note);
  for (const reply of conversation.runningReplies()) note(reply);

  return {
    client,
    seen: (messageId) => replies.get(messageId),
    async finished(messageId) {
      if (!replies.has(messageId)) {
        await new Promise<void>((resolve) => waiting.set(messageId, [...(waiting.get(messageId) ?? []), resolve]));
      }
      const seen = replies.get(messageId);
      await seen?.reply.finished;
      return seen?.reply.text ?? '';
    },
    close: () => client.close(),
  };
}
