import { z } from 'zod';
import type { Tool, ToolAnswer, ToolCall } from '../../shared/adapters/language-model/model.js';
import { tokensAtMost } from '../../shared/conversations/prompt.js';
import { type KnowledgeHit, passageName } from '../../shared/knowledge/hit.js';
import { type ReplySources, type Search, toSources } from './reply-sources.js';

const maxQuery = 500;

/** How Claude looks something up by itself. Part of every cached prefix: a change of it makes all of them anew. */
export const searchTool: Tool = {
  name: 'search_knowledge',
  description:
    'Searches the team’s knowledge store for what everybody in this conversation may read, and returns the passages that ' +
    'fit best. Use it when the search results that came with the message do not answer it: with other words than the ' +
    'message has, with what earlier messages were about, or for one part of a question after the other.',
  inputSchema: {
    type: 'object',
    properties: { query: { type: 'string', description: 'What to look for: a question or the words that matter.' } },
    required: ['query'],
  },
};

/** It is kept with the reply: NUL and halves of surrogate pairs, which Postgres takes in no JSON, would keep that from being saved. */
const storable = (query: string): string => query.replaceAll(/[\0\p{Cs}]/gu, ' ');

const inputSchema = z.object({ query: z.string().transform(storable).pipe(z.string().trim().min(1).max(maxQuery)) });

/** Calls answered in one round; in a reply there are only so many rounds. */
const maxCalls = 3;

/** Passages that all calls of a reply are given together. */
const maxPassages = 24;

/**
 * Answers the calls of one round, and adds to `sources` what was found: in the order of the answers, by which
 * citations count.
 *
 * @param search looks something up with the rights of the readers. Its errors, but for a stop, are outcomes.
 * @param room tokens that the passages may take up.
 */
export async function answerCalls(
  calls: readonly ToolCall[],
  sources: ReplySources,
  search: (query: string) => Promise<Search>,
  room: number,
): Promise<ToolAnswer[]> {
  const asked = calls.map((call, index) => readCall(call, index));
  const found = await Promise.all(asked.map(async (query) => (typeof query === 'string' ? search(query) : null)));
  let left = room;
  return calls.map(({ id }, index) => {
    const query = asked[index];
    const result = found[index];
    if (typeof query !== 'string' || !result) {
      return refused(id, typeof query === 'object' ? query.problem : 'It could not be read.');
    }
    const fresh = result.passages.filter((hit) => !sources.passages.some((known) => isSame(known, hit)));
    const taken: KnowledgeHit[] = [];
    for (const hit of fresh) {
      const tokens = tokensOf(hit);
      if (tokens > left || sources.fromTool >= maxPassages) break;
      left -= tokens;
      taken.push(hit);
      sources.passages.push(hit);
      sources.fromTool += 1;
    }
    sources.wordsAlone ||= result.wordsAlone;
    sources.searches.push({ query, outcome: result.outcome, passages: taken.length });
    if (result.outcome === 'unavailable') return refused(id, 'The knowledge store cannot be searched at the moment.');
    const text =
      result.passages.length === 0
        ? 'Nothing relevant was found in the knowledge store.'
        : fresh.length === 0
          ? 'Nothing was found beyond the passages that are here already.'
          : 'There is no room for more passages; answer from those that are here.';
    return { callId: id, sources: toSources(taken), text, isError: false };
  });
}

function readCall(call: ToolCall, index: number): string | { problem: string } {
  if (call.name !== searchTool.name) return { problem: 'There is no such tool.' };
  if (index >= maxCalls) return { problem: `At most ${maxCalls} searches are made at once.` };
  const input = inputSchema.safeParse(call.input);
  return input.success ? input.data.query : { problem: `query has to be a text of at most ${maxQuery} characters.` };
}

const refused = (callId: string, text: string): ToolAnswer => ({ callId, sources: [], text, isError: true });

const isSame = (one: KnowledgeHit, other: KnowledgeHit): boolean => passageName(one) === passageName(other);

/** An upper bound for the tokens of passages, as the model is shown them. */
export const tokensOf = (...passages: KnowledgeHit[]): number =>
  toSources(passages).reduce((sum, { title, pieces }) => sum + tokensAtMost(title + pieces.join('')) + 16, 0);
