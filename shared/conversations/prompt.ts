import type { Turn } from '../adapters/language-model/model.js';
import type { HistoryMessage } from './history.js';

/** Says what every conversation needs; an own system prompt of the conversation follows it. */
const instructions =
  'You are Claude, taking part in a conversation of a team. Answer in the language of the message you reply to. ' +
  'Use Markdown where it helps. When several people take part, each of their messages begins with their name.';

/** Says how passages are used, in the same words whether any were found: what changes is not cached. */
const knowledgeInstructions =
  'Before you answer, the team’s knowledge store is searched for what everybody in this conversation may read, and what ' +
  'was found comes as search results ahead of the message. Where they answer it, answer from them and cite them; leave ' +
  'aside those that do not matter. Where they do not, search_knowledge searches again, in your words. When somebody asks ' +
  'for what the team has written down and no search result answers it, say that nothing relevant was found in the ' +
  'knowledge store, or that it could not be searched if that is what you were told, and cite nothing.';

/** Follows the system prompt while the knowledge store is away: nobody is to take its silence for an answer. */
export const searchIsAway =
  'The knowledge store could not be searched before this message. Do not say that nothing was found in it.';

/** The system prompt: the same for every reply of a conversation, so that it can be cached. */
export function systemPrompt(own: string | null, knowledge: boolean): string {
  return [instructions, ...(knowledge ? [knowledgeInstructions] : []), ...(own ? [own] : [])].join('\n\n');
}

/** The history as turns. It begins with a person: what Claude said before that has lost its question. */
export function toTurns(messages: readonly HistoryMessage[]): Turn[] {
  const several = new Set(messages.flatMap(({ authorName }) => authorName ?? [])).size > 1;
  const first = messages.findIndex(({ role }) => role === 'user');
  return messages.slice(Math.max(first, 0)).map(({ role, content, authorName }) => ({
    role,
    content: several && role === 'user' && authorName ? `${authorName}: ${content}` : content,
  }));
}

/**
 * An upper bound for the tokens of a text: 4 bytes of UTF-8 make about one token of English and 3 at most
 * two tokens of Chinese or Japanese. Below the limit by this bound nobody has to count.
 */
export const tokensAtMost = (text: string): number => Math.ceil(Buffer.byteLength(text) / 1.5);

/** Thrown when the message alone, without any history, is longer than the model takes. */
export class PromptTooLong extends Error {}

/**
 * Leaves out the oldest turns until the prompt fits, and then some more: the cut moves in steps, so that most
 * replies of a long conversation begin as the one before did, and are read from the cache.
 *
 * @param system what comes before the turns, tools included.
 * @param limit tokens that the prompt may have.
 * @param count asks the service for the tokens of a prompt; called only when the upper bound does not fit.
 * @param before messages of the conversation before the first turn: steps are counted from its beginning.
 * @returns the turns and how many were left out.
 * @throws PromptTooLong
 */
export async function fitTurns(
  system: string,
  turns: readonly Turn[],
  limit: number,
  count: (turns: Turn[]) => Promise<number>,
  before = 0,
): Promise<{ turns: Turn[]; omitted: number }> {
  let kept = [...turns];
  const bound = tokensAtMost(system) + turns.reduce((sum, { content }) => sum + tokensAtMost(content) + 8, 0);
  if (bound > limit) {
    for (;;) {
      const tokens = await count(kept);
      if (tokens <= limit) break;
      if (kept.length <= 1) throw new PromptTooLong(`The message has ${tokens} tokens; the model takes ${limit}.`);
      kept = dropOldest(kept, limit / tokens);
    }
  }
  if (kept.length < turns.length) kept = cutAtStep(kept, before + turns.length - kept.length);
  return { turns: kept, omitted: turns.length - kept.length };
}

/** Keeps the newest turns up to `share` of the length, always fewer than before, beginning with a person. */
function dropOldest(turns: Turn[], share: number): Turn[] {
  const length = turns.reduce((sum, { content }) => sum + content.length, 0);
  // A little less than the share: counts are not linear, and another round costs a call.
  let room = length * share * 0.95;
  let first = turns.length - 1;
  room -= turns[first]?.content.length ?? 0;
  while (first > 1 && room - (turns[first - 1]?.content.length ?? 0) >= 0) {
    first -= 1;
    room -= turns[first]?.content.length ?? 0;
  }
  return fromPerson(turns, first);
}

/** @param cut how many messages of the conversation are before the first of the turns. */
function cutAtStep(turns: Turn[], cut: number): Turn[] {
  // A power of two, which stays the same from reply to reply, of at most a third of what is kept.
  const step = 2 ** Math.max(0, Math.floor(Math.log2(turns.length / 3)));
  return fromPerson(turns, Math.ceil(cut / step) * step - cut);
}

function fromPerson(turns: Turn[], from: number): Turn[] {
  let first = from;
  while (first < turns.length - 1 && turns[first]?.role !== 'user') first += 1;
  return turns.slice(first);
}
