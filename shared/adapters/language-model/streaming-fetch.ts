import { Agent, request } from 'undici';

export type Fetch = typeof globalThis.fetch;

/**
 * A fetch for the SDK whose bodies are streams of Node, which are iterated over in the same way. With 200 answers of 50
 * tokens a second a token cost 108 µs of the processor with the web streams of the global fetch, and 67 with these.
 *
 * Without limits of time: silence is watched by who asks.
 */
export function createStreamingFetch(): Fetch {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  return async (input, init = {}) => {
    const { statusCode, headers, body } = await request(input as string | URL, {
      dispatcher,
      method: (init.method ?? 'GET') as 'GET' | 'POST',
      headers: Object.fromEntries(new Headers(init.headers)),
      body: init.body as string | undefined,
      signal: init.signal,
    });
    const answer = { status: statusCode, headers: toHeaders(headers) };
    // An error is read as a whole.
    if (statusCode >= 300) return new Response(await body.text(), answer);
    return Object.defineProperty(new Response(null, answer), 'body', { value: body });
  };
}

function toHeaders(received: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  return headers;
}
