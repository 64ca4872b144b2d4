import { type MessagesApi, startMessagesApi } from '../../../shared/local/messages-api/server.js';
import { textOf } from '../../../shared/local/messages-api/wire.js';

/** The stand-in for Claude in this process, which knows of each request whose it is. */
export type CountingProvider = {
  url: string;
  /** The most requests of the user with many replies that were open at once, since the last `reset`. */
  mostOpen(): number;
  reset(): void;
  stop(): Promise<void>;
};

/** In the messages of the user with many replies. */
export const manyMark = 'one of many';
export const singleMark = 'a single one';

const answers = { many: 10, single: 5 };
const rate = 50;

/** Answers of a fifth of a second to the one, of a tenth to the other. */
export async function startCountingProvider(): Promise<CountingProvider> {
  let open = 0;
  let most = 0;
  const api: MessagesApi = await startMessagesApi({
    rate,
    script({ body }) {
      const isMany = textOf(body.messages.at(-1)).includes(manyMark);
      const tokens: (string | (() => string))[] = Array.from(
        { length: isMany ? answers.many : answers.single },
        () => 'word ',
      );
      if (isMany) {
        open += 1;
        most = Math.max(most, open);
        // Called when its turn comes: the last word of an answer.
        tokens.push(() => {
          open -= 1;
          return 'end';
        });
      }
      return { blocks: [{ type: 'text', tokens }] };
    },
  });
  return {
    url: api.url,
    mostOpen: () => most,
    reset: () => void (most = open),
    stop: () => api.stop(),
  };
}
