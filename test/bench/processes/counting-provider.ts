/** Helper process: the stand-in for Claude, which knows of each request whose it is. */
import { startMessagesApi } from '../../../shared/local/messages-api/server.js';
import { textOf } from '../../../shared/local/messages-api/wire.js';
import { manyMark } from '../fairness/marks.js';
import { answerQuestions } from '../stage/messages.js';

/** Answers of a fifth of a second to the user with many messages, of a tenth to the other. */
const tokens = { many: 10, single: 5 };
const rate = 50;

/** Requests of the user with many messages that are open now, and the most there were at once since the last reset. */
const open = { now: 0, most: 0 };

const api = await startMessagesApi({
  rate,
  script({ body }) {
    const isMany = textOf(body.messages.at(-1)).includes(manyMark);
    const words: (string | (() => string))[] = Array.from(
      { length: isMany ? tokens.many : tokens.single },
      () => 'word ',
    );
    if (isMany) {
      open.now += 1;
      open.most = Math.max(open.most, open.now);
      // Called when its turn comes: the last word of an answer.
      words.push(() => {
        open.now -= 1;
        return 'end';
      });
    }
    return { blocks: [{ type: 'text', tokens: words }] };
  },
});

answerQuestions({
  mostOpen: () => open.most,
  reset: () => void (open.most = open.now),
});
process.on('SIGTERM', () => process.exit(0));
console.log(JSON.stringify({ ready: true, url: api.url }));
