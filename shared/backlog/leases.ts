import type { Sql } from '../database.js';
import { ClaimLost } from '../errors.js';
import type { Logger } from '../logger.js';
import { type Claim, renewLeases } from './claim.js';

/** Why a running job is told to stop. */
export type StopReason = 'cancelled' | 'lease-lost' | 'shutdown';

/** The reason of an aborted job's signal. */
export class JobStopped extends Error {
  constructor(readonly reason: StopReason) {
    super(`the job was stopped: ${reason}`);
    this.name = 'JobStopped';
  }
}

/** The claims that this process holds: renewed together, each told to stop by its own signal. */
export type Leases = {
  /** After `stopAll` what is held is told to stop at once: a queue that closes may still bring one more job. */
  hold(claim: Claim): { signal: AbortSignal; release: () => void };
  /** Stops one job if this process runs it. */
  stop(jobId: string, reason: StopReason): void;
  /** Stops every job, for good: the process is about to end. */
  stopAll(): void;
  readonly stopping: boolean;
  readonly size: number;
  close(): Promise<void>;
};

const renewEveryMs = 1_000;

/**
 * Starts the timer that renews every lease of the process in one statement each second.
 *
 * While Postgres is away nothing is stopped here: an attempt that was replaced meanwhile can write neither
 * there (the claim is checked) nor into a reply's log (Redis refuses the older attempt).
 */
export function createLeases(sql: Sql, logger: Logger): Leases {
  const held = new Map<string, Claim & { controller: AbortController }>();
  let renewing: Promise<void> | null = null;
  let stopping = false;

  async function renew(): Promise<void> {
    const claims = [...held.values()];
    if (claims.length === 0) return;
    try {
      const answers = await renewLeases(sql, claims);
      for (const claim of claims) {
        const answer = answers.get(claim.id);
        if (!answer) stopClaim(claim, 'lease-lost');
        else if (answer.cancelRequested) stopClaim(claim, 'cancelled');
      }
    } catch (error) {
      logger.warn({ err: error, leases: claims.length }, 'leases were not renewed');
    }
  }

  const stopClaim = (claim: { controller: AbortController }, reason: StopReason): void =>
    claim.controller.abort(reason === 'lease-lost' ? new ClaimLost() : new JobStopped(reason));

  const timer = setInterval(() => {
    renewing ??= renew().finally(() => {
      renewing = null;
    });
  }, renewEveryMs);

  return {
    hold(claim) {
      const entry = { ...claim, controller: new AbortController() };
      // An older attempt that this very process lost and got again: only one of them is renewed.
      const older = held.get(claim.id);
      if (older) stopClaim(older, 'lease-lost');
      held.set(claim.id, entry);
      if (stopping) stopClaim(entry, 'shutdown');
      return {
        signal: entry.controller.signal,
        release: () => {
          if (held.get(claim.id) === entry) held.delete(claim.id);
        },
      };
    },
    stop(jobId, reason) {
      const entry = held.get(jobId);
      if (entry) stopClaim(entry, reason);
    },
    stopAll() {
      stopping = true;
      for (const entry of held.values()) stopClaim(entry, 'shutdown');
    },
    get stopping() {
      return stopping;
    },
    get size() {
      return held.size;
    },
    async close() {
      clearInterval(timer);
      await renewing;
    },
  };
}
