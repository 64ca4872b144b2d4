import { JobFailure } from '../../errors.js';

/** One turn of a conversation as the model is shown it. */
export type Turn = { role: 'user' | 'assistant'; content: string };

/** A passage that the model may answer from, and cite. Its pieces are the least that it cites. */
export type Source = { source: string; title: string; pieces: string[] };

export type ModelRequest = {
  model: string;
  /** Instructions, the same in every request of a conversation, so that they can be cached. */
  system: string;
  /** Begins and ends with a user turn. */
  turns: Turn[];
  /** Shown ahead of the last turn. */
  sources?: readonly Source[];
};

/** Tokens of one request; input is what was neither read from nor written to the cache. */
export type TokenUsage = { input: number; output: number; cacheRead: number; cacheWrite: number };

/** Why the model stopped, as the Messages API names it. */
export type StopReason = string;

export type ModelResult = { stopReason: StopReason; model: string };

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
