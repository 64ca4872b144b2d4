import { type ApiError, type Block, blocksOf, type MessagesRequest, searchResultsOf } from './wire.js';

/** What the API knows at the top of a request; anything else it refuses. */
const known = new Set([
  ...['model', 'max_tokens', 'messages', 'system', 'stream', 'tools', 'tool_choice', 'thinking', 'metadata'],
  ...['temperature', 'top_p', 'top_k', 'stop_sequences', 'cache_control', 'container', 'context_management'],
  ...['diagnostics', 'inference_geo', 'mcp_servers', 'output_config', 'output_format', 'service_tier', 'speed'],
  ...['user_profile_id', 'workspace_id', 'betas'],
]);

const blockTypes = new Set([
  ...['text', 'image', 'document', 'search_result', 'thinking', 'redacted_thinking', 'tool_use', 'tool_result'],
  ...['server_tool_use', 'web_search_tool_result', 'web_fetch_tool_result', 'container_upload'],
]);

/** The first thing that is wrong with a request, in the API's own words; undefined when it is valid. */
export function validate(body: unknown, counting = false): ApiError | undefined {
  const problem = describe(body, counting);
  return problem === undefined ? undefined : { status: 400, type: 'invalid_request_error', message: problem };
}

function describe(body: unknown, counting: boolean): string | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'Input should be a valid dictionary';
  const request = body as Partial<MessagesRequest>;
  if (request.model === undefined) return 'model: Field required';
  if (typeof request.model !== 'string' || request.model === '') return 'model: Input should be a valid string';
  if (!counting) {
    if (request.max_tokens === undefined) return 'max_tokens: Field required';
    if (!Number.isInteger(request.max_tokens)) return 'max_tokens: Input should be a valid integer';
    if (request.max_tokens < 1) return 'max_tokens: Input should be greater than or equal to 1';
  }
  if (request.messages === undefined) return 'messages: Field required';
  if (!Array.isArray(request.messages)) return 'messages: Input should be a valid list';
  if (request.messages.length === 0) return 'messages: at least one message is required';
  const extra = Object.keys(request).find((key) => !known.has(key));
  if (extra) return `${extra}: Extra inputs are not permitted`;
  const valid = request as MessagesRequest;
  return describeMessages(valid) ?? describeTools(valid) ?? describeMarks(valid);
}

function describeMessages(request: MessagesRequest): string | undefined {
  let open: string[] = [];
  for (const [index, message] of request.messages.entries()) {
    const at = `messages.${index}`;
    if (message?.role !== 'user' && message?.role !== 'assistant')
      return `${at}.role: Input should be 'user' or 'assistant'`;
    if (index === 0 && message.role !== 'user') return 'messages: first message must use the "user" role';
    if (typeof message.content !== 'string' && !Array.isArray(message.content)) return `${at}.content: Field required`;
    const last = index === request.messages.length - 1;
    if (message.content.length === 0 && !(last && message.role === 'assistant')) {
      return `${at}: all messages must have non-empty content except for the optional final assistant message`;
    }
    const blocks = blocksOf(message.content);
    const problem = describeBlocks(blocks, `${at}.content`);
    if (problem) return problem;
    const answered = blocks.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id ?? ''] : []));
    const stray = answered.find((id) => !open.includes(id));
    if (stray !== undefined)
      return `${at}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}`;
    const missing = open.filter((id) => !answered.includes(id));
    if (missing.length > 0) {
      return `${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}`;
    }
    open = blocks.flatMap((block) => (block.type === 'tool_use' ? [block.id ?? ''] : []));
    if (last && message.role === 'assistant' && /\s$/.test(blocks.at(-1)?.text ?? '')) {
      return 'messages: final assistant content cannot end with trailing whitespace';
    }
  }
  return undefined;
}

function describeBlocks(blocks: Block[], at: string): string | undefined {
  for (const [index, block] of blocks.entries()) {
    if (!blockTypes.has(block?.type))
      return `${at}.${index}: Input tag '${block?.type}' does not match any of the expected tags`;
    if (block.type === 'text') {
      if (typeof block.text !== 'string') return `${at}.${index}.text.text: Field required`;
      if (block.text.trim() === '' && block.text !== '')
        return 'messages: text content blocks must contain non-whitespace text';
      if (block.text === '') return 'messages: text content blocks must be non-empty';
    }
    if (block.type === 'search_result') {
      for (const field of ['source', 'title'] as const) {
        if (typeof block[field] !== 'string') return `${at}.${index}.search_result.${field}: Field required`;
      }
      if (!Array.isArray(block.content) || block.content.length === 0) {
        return `${at}.${index}.search_result.content: List should have at least 1 item`;
      }
    }
    if (block.type === 'search_result' || (block.type === 'tool_result' && Array.isArray(block.content))) {
      const problem = describeBlocks(block.content as Block[], `${at}.${index}.${block.type}.content`);
      if (problem) return problem;
    }
  }
  return undefined;
}

function describeTools(request: MessagesRequest): string | undefined {
  const names = (request.tools ?? []).map((tool) => tool.name);
  const used = request.messages.flatMap(({ content }) => blocksOf(content)).some(({ type }) => type === 'tool_use');
  if (used && names.length === 0) return 'Requests which include `tool_use` or `tool_result` blocks must define tools';
  if (new Set(names).size < names.length) return 'tools: Tool names must be unique.';
  const choice = request.tool_choice;
  if (choice?.type === 'tool' && !names.includes(choice.name ?? ''))
    return `Tool '${choice.name}' not found in provided tools`;
  return undefined;
}

function describeMarks(request: MessagesRequest): string | undefined {
  const cited = new Set(searchResultsOf(request).map(({ block }) => block.citations?.enabled === true));
  if (cited.size > 1) return 'messages: citations must be enabled for all search_result blocks or for none';
  const places = [
    ...(request.tools ?? []),
    ...blocksOf(request.system),
    ...request.messages.flatMap((m) => blocksOf(m.content)),
  ];
  const marked = places.filter((place) => place.cache_control).length + (request.cache_control ? 1 : 0);
  return marked > 4 ? `A maximum of 4 blocks with cache_control may be provided. Found ${marked}.` : undefined;
}
