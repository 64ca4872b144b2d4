/**
 * What a request can ask of the stand-in by a directive anywhere in the text of its last message:
 *
 *     [[stand-in: <word> <word> …]]      word = name | key=value | key="value with spaces"
 *
 * Answers (at most one; without one the stand-in answers in its own words):
 *
 *     echo               the words of the message after the directive, a token per word
 *     timestamps         every token is the time at which it is sent: `<epoch ms, 3 decimals> `
 *     tool               a call of the first tool, or of name=<tool>, about query="…" or the user's words; calls=<n>
 *                        of them one after the other (default 1), then an answer in its own words
 *     refusal            no content, stop_reason "refusal"
 *     empty              no content, stop_reason "end_turn"
 *     max-tokens         cut off after `after` tokens (default 5), stop_reason "max_tokens"
 *
 * Failures (at most one; `after` counts tokens, default 5, 0 is before everything else):
 *
 *     rate-limit         HTTP 429 with retry-after=<seconds> (default 1)
 *     overloaded         HTTP 529, with retry-after if given; api-error HTTP 500
 *     error              HTTP status=<status> (default 400), type=, message=
 *     overloaded-in-stream   an `error` event after=<n> tokens of a 200 stream
 *     error-in-stream    the same with type= (default api_error) and message=
 *     cut                the connection is closed without `message_stop`
 *     hang               nothing more is sent, not even pings, and the connection stays open
 *     malformed          an event whose data is not JSON
 *
 * Settings:
 *
 *     times=<n>          only the first n requests with exactly this directive fail, later ones are answered
 *     step=<n>           the failure is in the answer after n - 1 rounds of tools (default 1)
 *     tokens=<n>         an answer of n tokens: `t1 t2 t3 …`
 *     rate=<n>           tokens per second; 0 is all at once
 *     slow               the first byte comes ms=<n> milliseconds late (default 1000); `ms=` alone does the same
 *     id=<anything>      means nothing: it makes a directive another one for `times`
 *
 * An unknown word is answered with HTTP 400, so that a misspelt directive does not look like an answer.
 */
export type Directive = {
  /** As it was written; `times` counts by it. */
  source: string;
  answer: string | undefined;
  failure: string | undefined;
  settings: Record<string, string>;
  /** The text behind the directive. */
  rest: string;
  unknown: string[];
};

const answers = new Set(['echo', 'timestamps', 'tool', 'refusal', 'empty', 'max-tokens']);
const failures = new Set([
  ...['rate-limit', 'overloaded', 'api-error', 'error'],
  ...['overloaded-in-stream', 'error-in-stream', 'cut', 'hang', 'malformed'],
]);
const keys = new Set([
  'times',
  'after',
  'tokens',
  'rate',
  'ms',
  'retry-after',
  'status',
  'type',
  'message',
  'name',
  'query',
  'calls',
  'step',
  'id',
]);
const numeric = new Set(['times', 'calls', 'step', 'after', 'tokens', 'rate', 'ms', 'retry-after', 'status']);

const pattern = /\[\[stand-in:([^\]]*)\]\]/;

/** The first directive in `text`, if there is one. */
export function parseDirective(text: string): Directive | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const directive: Directive = {
    source: match[0],
    answer: undefined,
    failure: undefined,
    settings: {},
    rest: text.slice(match.index + match[0].length).trim(),
    unknown: [],
  };
  for (const word of match[1]?.match(/[^\s=]+="[^"]*"|\S+/g) ?? []) take(directive, word);
  return directive;
}

function take(directive: Directive, word: string): void {
  const [, key = '', value = ''] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
  if (keys.has(key)) {
    const plain = value.replace(/^"(.*)"$/s, '$1');
    if (numeric.has(key) && !/^\d+(\.\d+)?$/.test(plain)) directive.unknown.push(word);
    else directive.settings[key] = plain;
  } else if (word === 'slow') {
    directive.settings.ms ??= '1000';
  } else if (answers.has(word) && !directive.answer) {
    directive.answer = word;
  } else if (failures.has(word) && !directive.failure) {
    directive.failure = word;
  } else {
    directive.unknown.push(word);
  }
}

/** `text` without directives: what the user said. */
export function withoutDirectives(text: string): string {
  return text.replaceAll(new RegExp(pattern, 'g'), '').trim();
}
