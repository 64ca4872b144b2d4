import { JobFailure } from '../../errors.js';

/** One turn of a conversation as the model is shown it. */
export type Turn = { role: 'user' | 'assistant'; content: string };

/** A passage that the model may answer from, and cite. Its pieces are the least that it cites. */
export type Source = { source: string; title: string; pieces: string[] };

/** What the model may ask for while it answers. */
export type Tool = {
  name: string;
  description: string;
  inputSchema: { type: 'object'; properties: Record<string, unknown>; required: string[] };
};

/** The model asks for something: it has stopped until it is answered. Its input is as the model wrote it. */
export type ToolCall = { id: string; name: string; input: unknown };

/** What a call brought: passages that can be cited, or a sentence where there are none. */
export type ToolAnswer = { callId: string; sources: readonly Source[]; text: string; isError: boolean };

/** What the model said, in the form in which the service wants it back: nobody else looks inside. */
export type Said = readonly object[];

/** What the model said before it stopped for its calls, and what they brought. */
export type ToolRound = { said: Said; answers: readonly ToolAnswer[] };

export type ModelRequest = {
  model: string;
  /** Instructions, the same in every request of a conversation, so that they can be cached. */
  system: string;
  /** Instructions for this request alone. What comes after them, the turns, is then not read from the cache. */
  note?: string | undefined;
  /** The same in every request of a conversation, too: they come before all else in what is cached. */
  tools?: readonly Tool[];
  /** Begins and ends with a user turn. */
  turns: Turn[];
  /** Shown ahead of the last turn. */
  sources?: readonly Source[];
  /** What has happened since the last turn. Citations count `sources` first, then those of the rounds in their order. */
  rounds?: readonly ToolRound[];
  /** The model has to answer with what it has. */
  noMoreCalls?: boolean;
};

/** Tokens of one request; input is what was neither read from nor written to the cache. */
export type TokenUsage = { input: number; output: number; cacheRead: number; cacheWrite: number };

/** Why the model stopped, as the Messages API names it. */
export type StopReason = string;

export type ModelResult = {
  stopReason: StopReason;
  model: string;
  /** Not empty when it stopped to have them answered. */
  calls: ToolCall[];
  said: Said;
};

/** What is told while the answer comes in. */
export type ModelListener = {
  onText(text: string): void;
  /** What was said from `textStart` to `textEnd`, counted from the first text on, is taken from `quote`. */
  onCitation?(citation: { sourceIndex: number; quote: string; textStart: number; textEnd: number }): void;
  /** What the request has cost so far: each call replaces the one before. */
  onUsage(usage: TokenUsage): void;
};

export type LanguageModel = {
  /**
   * Streams one answer; resolves when the service said that it is complete.
   *
   * @throws ModelError for everything that goes wrong on the other side or in between; the signal's reason when aborted.
   */
  stream(request: ModelRequest, listener: ModelListener, signal: AbortSignal): Promise<ModelResult>;
  /** The tokens that a request takes up. @throws ModelError */
  countTokens(request: ModelRequest, signal: AbortSignal): Promise<number>;
};

/**
 * What went wrong with a model call. Its code is the error type that the service gave, or `stream_cut`,
 * `stream_malformed`, `model_timeout`, `model_unreachable`.
 */
export class ModelError extends JobFailure {}
