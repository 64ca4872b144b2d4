/** The parts of a Messages API request that the stand-in looks at; whatever else is sent is let through. */
export type MessagesRequest = {
  model: string;
  max_tokens: number;
  messages: Message[];
  system?: string | Block[];
  stream?: boolean;
  tools?: Tool[];
  tool_choice?: { type: 'auto' | 'any' | 'none' | 'tool'; name?: string };
  cache_control?: CacheControl | null;
};

export type Message = { role: 'user' | 'assistant'; content: string | Block[] };

type CacheControl = { type: 'ephemeral'; ttl?: '5m' | '1h' };

export type Tool = { name: string; input_schema?: JsonSchema; cache_control?: CacheControl | null };

export type JsonSchema = {
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  enum?: unknown[];
  const?: unknown;
};

/** A content block of any kind; which fields are there depends on `type`, and `validate` has looked. */
export type Block = {
  type: string;
  text?: string;
  id?: string;
  tool_use_id?: string;
  content?: string | Block[];
  is_error?: boolean;
  title?: string;
  source?: unknown;
  citations?: { enabled?: boolean } | null;
  cache_control?: CacheControl | null;
};

/** An error as the API answers it, before a stream or within one. */
export type ApiError = { status: number; type: string; message: string; retryAfterSeconds?: number };

/** The body of an error answer, and the data of an `error` event. */
export function errorBody(error: Pick<ApiError, 'type' | 'message'>, requestId?: string): object {
  const { type, message } = error;
  return { type: 'error', error: { type, message }, ...(requestId ? { request_id: requestId } : {}) };
}

/** The content of a message as blocks: a string is one text block. */
export function blocksOf(content: string | Block[] | undefined): Block[] {
  if (content === undefined) return [];
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** The text of a message's text blocks; what tools answered is not the user's own text. */
export function textOf(message: Message | undefined): string {
  const texts = blocksOf(message?.content).filter((block) => block.type === 'text');
  return texts.map((block) => block.text ?? '').join('\n');
}

/** What happened since the user spoke last: how often the assistant stopped for tools, and what they answered last. */
export function roundsOf(request: MessagesRequest): { spoken: Message | undefined; rounds: number; answers: Block[] } {
  const isAnswer = (message: Message): boolean =>
    message.role === 'user' && blocksOf(message.content).every(({ type }) => type === 'tool_result');
  const at = request.messages.findLastIndex((message) => message.role === 'user' && !isAnswer(message));
  const answered = request.messages.slice(at + 1).filter(isAnswer);
  return { spoken: request.messages[at], rounds: answered.length, answers: blocksOf(answered.at(-1)?.content) };
}

/** Every `search_result` block of a request in the order in which citations count them. */
export function searchResultsOf(request: MessagesRequest): { block: Block; index: number; messageIndex: number }[] {
  const found: { block: Block; index: number; messageIndex: number }[] = [];
  request.messages.forEach((message, messageIndex) => {
    const own = blocksOf(message.content);
    const all = own.flatMap((block) => (block.type === 'tool_result' ? blocksOf(block.content) : [block]));
    for (const block of all) {
      if (block.type === 'search_result') found.push({ block, index: found.length, messageIndex });
    }
  });
  return found;
}
