import { withoutDirectives } from './directive.js';
import { type PlanBlock, tokensOf } from './plan.js';
import {
  type Block,
  blocksOf,
  type JsonSchema,
  type MessagesRequest,
  roundsOf,
  searchResultsOf,
  textOf,
} from './wire.js';

const introduction =
  'I am the stand-in for Claude that Millrace runs while no `ANTHROPIC_API_KEY` is set: a small local program, not a language model.';

/** What the user said last, in their own words. */
export function lastWords(request: MessagesRequest): string {
  const spoken = request.messages.filter((message) => message.role === 'user').map((message) => textOf(message));
  return withoutDirectives(spoken.findLast((text) => text.trim() !== '') ?? '');
}

/** The stand-in's own answer: from the passages of the request if there are any, else about itself. */
export function ownAnswer(request: MessagesRequest): PlanBlock[] {
  const words = lastWords(request);
  return answerFromPassages(request, words) ?? [text(answerAboutItself(request, words))];
}

function answerAboutItself(request: MessagesRequest, words: string): string {
  const turns = request.messages.length;
  return `${introduction}

You wrote:

> ${shorten(words, 300).replaceAll('\n', '\n> ') || '(nothing)'}

I cannot think about that, but everything around this answer is real:

- your message was **saved** in Postgres, and this reply was queued as a job;
- a worker picked it up and sent me ${turns === 1 ? 'your message' : `the ${turns} messages of this conversation`};
- these words **stream** to every open client as they come, and resume where they stopped if a connection breaks${aboutSearch(request)}.

To talk with Claude itself, set \`ANTHROPIC_API_KEY\` and start Millrace again.`;
}

/** Where the request lets things be looked up, and no passage has come of it. */
function aboutSearch(request: MessagesRequest): string {
  if (!request.tools?.some(({ name }) => name.startsWith('search'))) return '';
  return roundsOf(request).answers.some((block) => block.is_error)
    ? ';\n- the knowledge store **could not be searched**, so I cite nothing'
    : ';\n- **nothing relevant was found** in the knowledge store, so I cite nothing';
}

/** Sentences from the passages that share the most words with the question, each with its citation. */
function answerFromPassages(request: MessagesRequest, words: string): PlanBlock[] | undefined {
  const all = searchResultsOf(request).filter(({ block }) => block.citations?.enabled);
  if (all.length === 0) return undefined;
  const newest = Math.max(...all.map(({ messageIndex }) => messageIndex));
  const asked = new Set(wordsOf(words));
  const candidates = all
    .filter(({ messageIndex }) => messageIndex === newest)
    .flatMap(({ block, index }) => blocksOf(block.content).map((passage, at) => ({ block, index, at, passage })))
    .map((candidate) => ({ ...candidate, ...bestSentence(candidate.passage.text ?? '', asked) }));
  const matching = candidates.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score);
  const chosen = (matching.length > 0 ? matching : candidates).slice(0, 3);

  const subject = shorten(words, 120);
  const blocks: PlanBlock[] = [
    text(`${introduction} The passages I was given say${subject ? ` about “${subject}”` : ''}:\n\n- `),
  ];
  chosen.forEach(({ block, index, at, passage, sentence }, position) => {
    if (position > 0) blocks.push(text('\n- '));
    const citation = {
      type: 'search_result_location' as const,
      cited_text: passage.text ?? '',
      search_result_index: index,
      source: sourceOf(block),
      title: block.title ?? '',
      start_block_index: at,
      end_block_index: at + 1,
    };
    blocks.push({ ...text(sentence), citations: [citation] });
  });
  blocks.push(text('\n\nWith an `ANTHROPIC_API_KEY` Claude reads them and answers in its own words.'));
  return blocks;
}

function bestSentence(passage: string, asked: Set<string>): { sentence: string; score: number } {
  const sentences = passage.match(/[^.!?\n]+(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?]*/g) ?? [passage];
  let best = { sentence: '', score: -1 };
  for (const sentence of sentences.map((each) => each.trim()).filter(Boolean)) {
    const score = new Set(wordsOf(sentence).filter((word) => asked.has(word))).size;
    if (score > best.score) best = { sentence, score };
  }
  return { sentence: shorten(best.sentence || passage, 400), score: best.score };
}

/** Words of four letters and more, without case and plural: enough to tell what a passage is about. */
function wordsOf(value: string): string[] {
  return (value.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu) ?? []).map((word) => word.replace(/s$/, ''));
}

/** An input that fits a tool's schema: the user's words wherever a string may stand. */
export function inputFor(schema: JsonSchema | undefined, words: string): unknown {
  if (!schema) return {};
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type.find((each) => each !== 'null') : schema.type;
  if (type === 'object' || schema.properties) {
    const properties = Object.entries(schema.properties ?? {});
    const wanted = properties.filter(([name]) => (schema.required ?? properties.map(([each]) => each)).includes(name));
    return Object.fromEntries(wanted.map(([name, property]) => [name, inputFor(property, words)]));
  }
  if (type === 'array') return [inputFor(schema.items, words)];
  if (type === 'number' || type === 'integer') return 1;
  return type === 'boolean' ? true : words;
}

function sourceOf(block: Block): string {
  return typeof block.source === 'string' ? block.source : '';
}

function text(value: string): { type: 'text'; tokens: string[] } {
  return { type: 'text', tokens: tokensOf(value) };
}

function shorten(value: string, length: number): string {
  return value.length > length ? `${value.slice(0, length - 1).trimEnd()}…` : value;
}
