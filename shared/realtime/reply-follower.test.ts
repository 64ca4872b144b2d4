import { expect, it } from 'vitest';
import type { MessageView } from './events.js';
import { createReplyFollower } from './reply-follower.js';

/** Numbers that look random and are the same in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What a server knows of a reply: the newest attempt's deltas, and how it was stored. */
type Server = { attempt: number; deltas: string[]; stored: MessageView | null };

function page(server: Server, position: { attempt: number; after: number }, size: number) {
  const reset = position.attempt !== server.attempt;
  const after = reset ? 0 : position.after;
  const deltas = server.deltas.slice(after, after + size);
  const toSeq = after + deltas.length;
  const more = toSeq < server.deltas.length;
  const message = more ? null : server.stored;
  return { attempt: server.attempt, fromSeq: after + 1, toSeq, text: deltas.join(''), reset, more, message };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One reply, read over a connection that loses frames, answers late, and hands frames out while it answers. */
async function play(seed: number): Promise<{ text: string; expected: string; ends: number; asked: number }> {
  const random = randomNumbers(seed);
  const server: Server = { attempt: 1, deltas: [], stored: null };
  let text = '';
  let ends = 0;
  let asked = 0;
  const follower = createReplyFollower({
    async resume(position) {
      asked += 1;
      for (let turns = random(4); turns > 0; turns -= 1) await turn();
      const answer = page(server, position, 1 + random(5));
      // The answer is on its way while more happens.
      for (let turns = random(4); turns > 0; turns -= 1) await turn();
      return answer;
    },
    onAttempt: () => (text = ''),
    onDelta: (delta) => (text += delta),
    onEnd: () => (ends += 1),
    wait: turn,
  });

  const deaf = (): boolean => random(5) === 0;
  for (let step = 0; step < 60; step += 1) {
    if (random(20) === 0) {
      server.attempt += 1;
      server.deltas = [];
      if (!deaf()) follower.started(server.attempt);
    }
    server.deltas.push(`${server.attempt}.${server.deltas.length + 1} `);
    const frame = { attempt: server.attempt, seq: server.deltas.length, text: server.deltas.at(-1) ?? '' };
    if (!deaf()) follower.delta(frame);
    if (random(10) === 0) follower.delta(frame);
    if (random(3) === 0) await turn();
  }
  const expected = server.deltas.join('');
  server.stored = { attempt: server.attempt, content: expected } as MessageView;
  await follower.catchUp();
  follower.ended({ attempt: server.attempt, seq: server.deltas.length + 1, message: server.stored });
  follower.delta({ attempt: server.attempt, seq: 1, text: 'again' });
  return { text, expected, ends, asked };
}

it('has every text once and in order, whatever is lost, doubled or late', async () => {
  let asked = 0;
  for (let seed = 1; seed <= 300; seed += 1) {
    const played = await play(seed);
    expect(played.text, `seed ${seed}`).toBe(played.expected);
    expect(played.ends, `seed ${seed}`).toBe(1);
    asked += played.asked;
  }
  expect(asked).toBeGreaterThan(300);
});

it('begins again with an attempt that follows the end, and takes no older one', async () => {
  const seen: string[] = [];
  const follower = createReplyFollower({
    resume: async () => null,
    onAttempt: (attempt) => seen.push(`attempt ${attempt}`),
    onDelta: (delta) => seen.push(delta),
    onEnd: (message) => seen.push(message.state),
    wait: turn,
  });
  const message = (state: string) => ({ state }) as MessageView;
  follower.started(2);
  follower.ended({ attempt: 1, seq: 1, message: message('failed') });
  follower.delta({ attempt: 2, seq: 1, text: 'a' });
  follower.ended({ attempt: 2, seq: 2, message: message('failed') });
  follower.ended({ attempt: 2, seq: 2, message: message('failed') });
  follower.started(3);
  follower.delta({ attempt: 3, seq: 1, text: 'b' });
  follower.ended({ attempt: 3, seq: 2, message: message('done') });
  expect(seen).toEqual(['attempt 2', 'a', 'failed', 'attempt 3', 'b', 'done']);
});

it('gives out what waited for a page before it says that the reply has ended', async () => {
  const seen: string[] = [];
  const follower = createReplyFollower({
    resume: async () => {
      await turn();
      return { attempt: 0, fromSeq: 1, toSeq: 0, text: '', reset: false, more: false, message: null };
    },
    onAttempt: () => {},
    onDelta: (delta) => seen.push(delta),
    onEnd: () => seen.push('end'),
    wait: turn,
  });
  const asked = follower.catchUp();
  follower.started(1);
  for (const seq of [1, 2]) follower.delta({ attempt: 1, seq, text: `${seq}` });
  follower.ended({ attempt: 1, seq: 3, message: { state: 'done' } as MessageView });
  await asked;
  expect(seen).toEqual(['1', '2', 'end']);
});

it('asks for nothing more once it is stopped', async () => {
  let asked = 0;
  const follower = createReplyFollower({
    resume: async () => {
      asked += 1;
      return null;
    },
    onAttempt: () => {},
    onDelta: () => {},
    onEnd: () => {},
    wait: turn,
  });
  follower.stop();
  await follower.catchUp();
  follower.delta({ attempt: 1, seq: 7, text: 'x' });
  await turn();
  expect(asked).toBe(0);
});
