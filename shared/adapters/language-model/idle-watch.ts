import { streamCut } from './anthropic-errors.js';
import { ModelError } from './model.js';
import { wrapBody } from './response-body.js';
import type { Fetch } from './streaming-fetch.js';

/** Ends a request when its answer falls silent. */
export type IdleWatch = {
  fetch: Fetch;
  /** Aborted by the caller's signal, or with a ModelError after too long a silence. */
  signal: AbortSignal;
  /** Nothing more is expected but the end of the answer: what is left of it may take a moment. */
  endSoon(): void;
  stop(): void;
};

/** In milliseconds. The end comes with the last bytes; waited for, it leaves a connection for the next request. */
const endMs = 500;

/**
 * Watches the bytes and not the events: while the model thinks it sends pings, which the SDK passes on to
 * nobody, and a connection that carries pings is alive.
 *
 * @param idleMs how long nothing may arrive, in milliseconds; noticed up to a quarter later.
 */
export function watchIdle(fetch: Fetch, idleMs: number, outer: AbortSignal): IdleWatch {
  const controller = new AbortController();
  let ending: NodeJS.Timeout | undefined;
  let heardAt = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - heardAt < idleMs) return;
    controller.abort(
      new ModelError('model_timeout', `Claude sent nothing for ${Math.round(idleMs / 1000)} seconds.`, {
        transient: true,
      }),
    );
  }, idleMs / 4);

  return {
    signal: AbortSignal.any([outer, controller.signal]),
    endSoon: () => void (ending ??= setTimeout(() => controller.abort(), endMs)),
    stop() {
      clearInterval(timer);
      clearTimeout(ending);
    },
    async fetch(input, init) {
      const response = await fetch(input, init);
      heardAt = performance.now();
      return wrapBody(response, async function* heard(chunks) {
        try {
          for await (const chunk of chunks) {
            heardAt = performance.now();
            yield chunk;
          }
        } catch (error) {
          throw streamCut(error);
        }
      });
    },
  };
}
