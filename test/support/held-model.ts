import type { MessagesApiOptions } from '../../shared/local/messages-api/server.js';

/** A stand-in for Claude that stops in the middle of every answer until it is told to go on. */
export type HeldModel = {
  options: MessagesApiOptions;
  /** Lets go what is held, and what comes after. */
  release(): void;
  /** Holds what comes from now on. */
  hold(): void;
};

/** The words that are said before an answer is held, and the whole answer. */
export const heldAt = 'w1 w2 w3 w4 w5';
export const wholeAnswer = `${heldAt} w6 w7 w8 w9 w10`;

/** Only answers to messages without a directive are held. */
export function createHeldModel(): HeldModel {
  let release = (): void => {};
  let released: Promise<void>;
  const hold = (): void => {
    released = new Promise((resolve) => (release = resolve));
  };
  hold();
  return {
    hold,
    release: () => release(),
    options: {
      rate: 0,
      script({ body }) {
        if (JSON.stringify(body.messages.at(-1)).includes('[[stand-in:')) return undefined;
        const tokens = wholeAnswer.match(/\s*\S+/g) ?? [];
        return { blocks: [{ type: 'text', tokens }], gate: { after: 5, until: released } };
      },
    },
  };
}
