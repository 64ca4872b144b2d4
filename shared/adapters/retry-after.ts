/** A retry is never put off for longer than this, whatever a header says. */
const maxMs = 5 * 60_000;

/**
 * For how many milliseconds an answer asks to be left alone: by `retry-after-ms`, as OpenAI and Anthropic send it, or
 * by `retry-after`, in seconds or as a date.
 *
 * @returns undefined when it does not say.
 */
export function retryAfterOf(headers: Headers | undefined): number | undefined {
  const value = headers?.get('retry-after');
  const candidates = [
    Number(headers?.get('retry-after-ms') ?? Number.NaN),
    Number(value ?? Number.NaN) * 1_000,
    value ? Date.parse(value) - Date.now() : Number.NaN,
  ];
  const ms = candidates.find((candidate) => Number.isFinite(candidate) && candidate >= 0);
  return ms === undefined ? undefined : Math.min(ms, maxMs);
}
