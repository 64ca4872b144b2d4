import { inputFor, lastWords, ownAnswer } from './answer.js';
import { type Directive, parseDirective } from './directive.js';
import type { Interruption, Plan, PlanBlock } from './plan.js';
import { type ApiError, type MessagesRequest, roundsOf, textOf, type Tool } from './wire.js';

/** Counts how often each directive has failed, for `times`. */
export type Failures = Map<string, number>;

/** How the stand-in answers a valid request: as its directive says, else in its own words. */
export function decide(request: MessagesRequest, failures: Failures): Plan {
  const { spoken, rounds } = roundsOf(request);
  const directive = parseDirective(textOf(request.messages.at(-1)) || (rounds > 0 ? textOf(spoken) : ''));
  if (!directive) return { blocks: forcedTool(request) ?? ownAnswer(request) };
  if (directive.unknown.length > 0) {
    const message = `stand-in: not understood: ${directive.unknown.join(' ')}`;
    return { error: { status: 400, type: 'invalid_request_error', message } };
  }

  const number = (key: string): number | undefined =>
    directive.settings[key] === undefined ? undefined : Number(directive.settings[key]);
  const plan: Plan = answerOf(request, directive, number, rounds);
  plan.rate = number('rate');
  plan.delayMs = number('ms');
  const isStep = (number('step') ?? 1) === rounds + 1;
  if (directive.failure && isStep && mayFail(directive, number('times'), failures)) {
    Object.assign(plan, failureOf(directive, number));
  }
  return plan;
}

type Numbers = (key: string) => number | undefined;

function answerOf(request: MessagesRequest, directive: Directive, number: Numbers, rounds: number): Plan {
  const count = number('tokens');
  switch (directive.answer) {
    case 'echo':
      return { blocks: [{ type: 'text', tokens: directive.rest.match(/\s*\S+/g) ?? counted(count ?? 20) }] };
    case 'timestamps':
      return { blocks: [{ type: 'text', tokens: Array.from({ length: count ?? 100 }, () => timestamp) }] };
    case 'tool':
      if (request.tool_choice?.type === 'none' || rounds >= (number('calls') ?? 1))
        return { blocks: ownAnswer(request) };
      return toolCall(request, directive.settings) ?? noTool(directive.settings.name);
    case 'refusal':
      return { blocks: [], stopReason: 'refusal' };
    case 'empty':
      return { blocks: [] };
    case 'max-tokens':
      return { blocks: [{ type: 'text', tokens: counted(number('after') ?? 5) }], stopReason: 'max_tokens' };
    default:
      return { blocks: count === undefined ? ownAnswer(request) : [{ type: 'text', tokens: counted(count) }] };
  }
}

function mayFail(directive: Directive, times: number | undefined, failures: Failures): boolean {
  if (times === undefined) return true;
  const before = failures.get(directive.source) ?? 0;
  if (before >= times) return false;
  failures.set(directive.source, before + 1);
  return true;
}

function failureOf(directive: Directive, number: Numbers): Plan {
  const { type, message } = directive.settings;
  const after = number('after') ?? 5;
  const retryAfterSeconds = number('retry-after');
  const refuse = (status: number, kind: string, text: string, seconds = retryAfterSeconds): Plan => {
    const error: ApiError = { status, type: type ?? kind, message: message ?? text };
    return { error: seconds === undefined ? error : { ...error, retryAfterSeconds: seconds } };
  };
  const inStream = (kind: string, text: string): Plan => ({
    interruption: { how: 'error', after, error: { type: type ?? kind, message: message ?? text } },
  });
  switch (directive.failure) {
    case 'rate-limit':
      return refuse(429, 'rate_limit_error', 'This request would exceed your rate limit.', retryAfterSeconds ?? 1);
    case 'overloaded':
      return refuse(529, 'overloaded_error', 'Overloaded');
    case 'api-error':
      return refuse(500, 'api_error', 'Internal server error');
    case 'error':
      return refuse(number('status') ?? 400, 'invalid_request_error', 'The stand-in was asked to refuse this request.');
    case 'overloaded-in-stream':
      return inStream('overloaded_error', 'Overloaded');
    case 'error-in-stream':
      return inStream('api_error', 'Internal server error');
    default:
      return { interruption: { how: directive.failure as Exclude<Interruption['how'], 'error'>, after } };
  }
}

/** The call that `tool_choice` leaves no way around. */
function forcedTool(request: MessagesRequest): PlanBlock[] | undefined {
  const choice = request.tool_choice;
  if (choice?.type !== 'any' && choice?.type !== 'tool') return undefined;
  return toolCall(request, choice)?.blocks;
}

function toolCall(request: MessagesRequest, { name, query }: { name?: string; query?: string }): Plan | undefined {
  const tool: Tool | undefined = request.tools?.find((each) => name === undefined || each.name === name);
  if (!tool) return undefined;
  const blocks: PlanBlock[] = [
    { type: 'text', tokens: [`I’ll`, ' use', ` ${tool.name}`, '.'] },
    { type: 'tool_use', name: tool.name, input: inputFor(tool.input_schema, query ?? lastWords(request)) },
  ];
  return { blocks, stopReason: 'tool_use' };
}

function noTool(name: string | undefined): Plan {
  const message = `stand-in: the request has no tool${name ? ` ${name}` : ''} to use`;
  return { error: { status: 400, type: 'invalid_request_error', message } };
}

function counted(tokens: number): string[] {
  return Array.from({ length: tokens }, (_, index) => `${index === 0 ? '' : ' '}t${index + 1}`);
}

function timestamp(): string {
  return `${(performance.timeOrigin + performance.now()).toFixed(3)} `;
}
