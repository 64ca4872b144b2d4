import type {
  LanguageModel,
  ModelListener,
  ModelRequest,
  ModelResult,
  TokenUsage,
  ToolRound,
} from '../../shared/adapters/language-model/model.js';
import type { Written } from './reply-end.js';
import type { ReplySources, Search } from './reply-sources.js';
import { answerCalls } from './search-tool.js';

/** Rounds of searches that a reply may ask for; then it has to answer with what it has. */
const maxRounds = 3;

type Options = {
  model: LanguageModel;
  request: ModelRequest;
  /** What was found ahead of the answer; what the answer has looked up and quoted is added. */
  sources: ReplySources;
  /** Text, model and usage so far, kept up to date: whatever stops the answer, this is what there is of it. */
  written: Written;
  /** Takes each piece of text, in order. */
  onText: (text: string) => void;
  search: (query: string) => Promise<Search>;
  /** Awaited before the model is given the passages that there are by then. */
  onPassages: () => Promise<void>;
  /** Tokens that prompt, passages and what was said may have together. */
  maxPrompt: number;
  signal: AbortSignal;
};

/**
 * Streams one answer. Where the model stops to look something up, that is done and the answer goes on: to its
 * readers it is one text, to the accounts one sum.
 *
 * @throws ModelError; the signal's reason.
 */
export async function writeAnswer(options: Options): Promise<ModelResult> {
  const { model, request, sources, written, search, maxPrompt, signal } = options;
  const rounds: ToolRound[] = [];
  let told = 0;
  for (;;) {
    if (sources.passages.length > told) await options.onPassages();
    told = sources.passages.length;
    const noMoreCalls = rounds.length >= maxRounds;
    const step = listenTo(options);
    const result = await model.stream({ ...request, rounds, noMoreCalls }, step.listener, signal);
    written.model = result.model;
    if (result.calls.length === 0 || noMoreCalls) return result;
    const room = maxPrompt - step.tokens();
    rounds.push({ said: result.said, answers: await answerCalls(result.calls, sources, search, room) });
  }
}

/** Listens to one request of several: its places and numbers count from the beginning of the answer. */
function listenTo({ sources, written, onText }: Options): { listener: ModelListener; tokens: () => number } {
  const paid = written.usage;
  let own: TokenUsage | null = null;
  let start: number | null = null;

  function take(text: string): void {
    written.text += text;
    onText(text);
  }

  const listener: ModelListener = {
    onText(text) {
      if (text === '') return;
      // What was said before a search and what is said after it are two paragraphs.
      if (start === null && /\S$/.test(written.text) && /^\S/.test(text)) take('\n\n');
      start ??= written.text.length;
      take(text);
    },
    onCitation({ sourceIndex, quote, textStart, textEnd }) {
      const hit = sources.passages[sourceIndex];
      const at = start ?? written.text.length;
      if (hit) sources.cited.push({ hit, quote, textStart: at + textStart, textEnd: at + textEnd });
    },
    onUsage(usage) {
      own = usage;
      written.usage = paid ? sumOf(paid, usage) : { ...usage };
    },
  };
  return { listener, tokens: () => (own ? own.input + own.cacheRead + own.cacheWrite + own.output : 0) };
}

const sumOf = (one: TokenUsage, other: TokenUsage): TokenUsage => ({
  input: one.input + other.input,
  output: one.output + other.output,
  cacheRead: one.cacheRead + other.cacheRead,
  cacheWrite: one.cacheWrite + other.cacheWrite,
});
