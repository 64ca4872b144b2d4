import { createHash } from 'node:crypto';
import { blocksOf, type MessagesRequest } from './wire.js';

/** Input tokens of a request as the API splits them; the total is the sum of the three. */
export type InputUsage = { input_tokens: number; cache_creation_input_tokens: number; cache_read_input_tokens: number };

/** Remembers the prefixes that requests marked with `cache_control`. */
export type PromptCache = (request: MessagesRequest) => InputUsage;

/** The API looks for a known prefix at this many blocks before a mark. */
const lookBack = 20;
const lifetimeMs = 5 * 60_000;
const maxEntries = 20_000;

type Segment = { tokens: number; marked: boolean; json: string };

/** An estimate of the input tokens of a request: a token for every four characters. */
export function countTokens(request: MessagesRequest): number {
  return segmentsOf(request).reduce((sum, segment) => sum + segment.tokens, 0);
}

/** @param minimumTokens prefixes that are shorter are not kept, as in the API. */
export function createPromptCache(minimumTokens: number): PromptCache {
  const expiry = new Map<string, number>();
  return (request) => {
    const segments = segmentsOf(request);
    const hash = createHash('sha1').update(request.model);
    const prefixes: { key: string; tokens: number; marked: boolean }[] = [];
    let total = 0;
    const lastMark = segments.findLastIndex((segment) => segment.marked);
    segments.forEach((segment, index) => {
      total += segment.tokens;
      // What comes after the last mark can neither be found nor kept.
      if (index > lastMark) return;
      hash.update(segment.json);
      prefixes.push({ key: hash.copy().digest('base64'), tokens: total, marked: segment.marked });
    });

    const now = Date.now();
    let read = 0;
    for (const [index, prefix] of prefixes.entries()) {
      if ((expiry.get(prefix.key) ?? 0) <= now) continue;
      const mark = prefixes.findIndex((other, at) => at >= index && other.marked);
      if (mark - index <= lookBack) read = prefix.tokens;
    }
    const marked = prefixes.filter((prefix) => prefix.marked && prefix.tokens >= minimumTokens);
    for (const { key } of marked) {
      expiry.delete(key);
      expiry.set(key, now + lifetimeMs);
    }
    for (const key of expiry.keys()) {
      if (expiry.size <= maxEntries) break;
      expiry.delete(key);
    }
    const written = Math.max(0, (marked.at(-1)?.tokens ?? 0) - read);
    return {
      input_tokens: total - read - written,
      cache_creation_input_tokens: written,
      cache_read_input_tokens: read,
    };
  };
}

/** The request in the order in which the API caches it: tools, system, messages. */
function segmentsOf(request: MessagesRequest): Segment[] {
  const segments: Segment[] = [];
  const add = (value: object, marked: boolean, prefix: string): void => {
    // Marks move from turn to turn: they are no part of what is remembered.
    const json = JSON.stringify(value, (key, part: unknown) => (key === 'cache_control' ? undefined : part));
    segments.push({ json: prefix + json, tokens: Math.ceil(lengthOf(value) / 4), marked });
  };
  for (const tool of request.tools ?? []) add(tool, Boolean(tool.cache_control), 'tool');
  for (const block of blocksOf(request.system)) add(block, Boolean(block.cache_control), 'system');
  for (const message of request.messages) {
    for (const block of blocksOf(message.content)) add(block, Boolean(block.cache_control), message.role);
  }
  const last = segments.at(-1);
  if (last && request.cache_control) last.marked = true;
  return segments;
}

/** Characters of all strings in a value that the model reads; quotes sent back and images are free here. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + lengthOf(item), 0);
  if (typeof value !== 'object' || value === null) return 0;
  const free = new Set(['type', 'cache_control', 'cited_text', 'data']);
  return Object.entries(value).reduce((sum, [key, item]) => sum + (free.has(key) ? 0 : lengthOf(item)), 0);
}
