import { type Embedder, EmbeddingError } from '../../shared/adapters/embedder/embedder.js';
import type { Outcome } from '../../shared/backlog/claim.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';
import { askAgainMs } from '../paced-outage.js';

/** In milliseconds: how soon a job asks again when the service does not say. */
const roomMs = 5_000;

/** The same after an answer that was paid for, and that another configuration alone can change. */
const paidAgainMs = 60_000;

/**
 * How much longer who found it away waits than all others: another one asks next. If it is what this one asks for that is
 * refused, the other is answered.
 */
const finderWaits = 1.25;

/**
 * Does work with the embedder. What is no fault of the texts makes the job wait, however long it takes, and never fail:
 * a service that has no room, is away, refuses the key or has another model than the configuration says. Whoever
 * mends it would have to find and to try again by hand all that came meanwhile. One job asks for all of them whether
 * it is mended; those that need no vector made do not wait for it.
 */
export async function waitForEmbedder(
  ctx: Pick<WorkerContext, 'embedder' | 'embedderOutage'>,
  job: Pick<JobRun, 'id' | 'logger'>,
  work: (embedder: Embedder) => Promise<Outcome>,
): Promise<Outcome> {
  const { embedder, embedderOutage: outage } = ctx;
  let putOff: { error: Error; leftMs: number } | null = null;
  const patient: Embedder = {
    ...embedder,
    async embed(texts, kind, signal) {
      putOff = outage.recent();
      if (putOff) throw putOff.error;
      const askedAt = performance.now();
      const vectors = await embedder.embed(texts, kind, signal);
      outage.over(askedAt);
      return vectors;
    },
  };
  try {
    return await work(patient);
  } catch (error) {
    if (!(error instanceof EmbeddingError)) throw error;
    if (error.code === 'embedding_rate_limited') {
      job.logger.warn({ err: error }, 'the embeddings service has no room for now; the job waits for it');
      return waits(error, (error.retryAfterMs ?? roomMs) * (1 + Math.random() / 2));
    }
    if (!error.ofService) throw error;
    // What somebody else has found, who perhaps has found the service well since.
    const known = putOff as { error: Error; leftMs: number } | null;
    if (known?.error === error) return waits(error, outage.isOn() ? outage.turn(known.leftMs) : 0);
    // A firewall before the service refuses a text that looks like an attack as if the key were wrong, and an answer may
    // quote words of the text: such a job would have all others wait with it again and again, for ever.
    if (outage.isOfJob(job.id)) throw new EmbeddingError(error.code, error.message, { transient: true, cause: error });
    const againMs = Math.max(error.retryAfterMs ?? 0, error.code === 'embedding_size' ? paidAgainMs : askAgainMs);
    outage.found(error, error.transient ? 'warn' : 'error', againMs);
    return waits(error, finderWaits * againMs);
  }
}

const waits = ({ code, message }: EmbeddingError, delayMs: number): Outcome => ({
  state: 'pending',
  delayMs,
  counts: false,
  error: { code, message },
});
