type Chunks = AsyncIterable<Uint8Array>;

/**
 * Puts a step between a response and who iterates over its body, as the SDK does. A generator costs a microsecond
 * per chunk, a TransformStream ten.
 */
export function wrapBody(response: Response, wrap: (chunks: Chunks) => AsyncIterableIterator<Uint8Array>): Response {
  const { body } = response;
  if (!body) return response;
  const iterate = body[Symbol.asyncIterator].bind(body);
  const wrapped = (): unknown => wrap({ [Symbol.asyncIterator]: iterate });
  body[Symbol.asyncIterator] = wrapped as typeof iterate;
  return response;
}

/** Reads a body in portions: what arrives while `between` goes on comes as one chunk. */
export async function* inPortions(chunks: Chunks, between: () => Promise<void>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    // Asked for more, the reader has done with this one.
    await between();
  }
}

/**
 * Makes pauses of at most `steps` steps, and less than one step shorter. They end at steps, together with others: what
 * answers that stream at once have to say then takes one wake-up and one write to Redis, not one of each for each.
 *
 * @param stepMs in milliseconds.
 */
export function createPauses(stepMs: number, steps: number): () => Promise<void> {
  const ahead: Step[] = [];

  function tick(): void {
    ahead.shift()?.end();
    if (ahead.length > 0) setTimeout(tick, stepMs);
  }

  return () => {
    if (ahead.length === 0) setTimeout(tick, stepMs);
    while (ahead.length < steps) ahead.push(createStep());
    return (ahead[steps - 1] as Step).ended;
  };
}

type Step = { ended: Promise<void>; end: () => void };

function createStep(): Step {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { ended, end };
}
