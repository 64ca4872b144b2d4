import type { JobError, Outcome } from '../shared/backlog/claim.js';
import type { Sql } from '../shared/database.js';
import type { JobKind, JobPayload } from '../shared/jobs/index.js';
import type { Logger } from '../shared/logger.js';
import type { WorkerContext } from './context.js';

/** One attempt of a job, as its handler sees it. */
export type JobRun<Kind extends JobKind = JobKind> = {
  id: string;
  attempt: number;
  payload: JobPayload<Kind>;
  userId: string;
  subjectId: string;
  /** A cancel was asked for before this attempt began. */
  cancelRequested: boolean;
  /** Aborted with JobStopped (cancelled, shutdown) or ClaimLost: stop and throw its reason. */
  signal: AbortSignal;
  /** First in every transaction that writes. @throws ClaimLost when another attempt has the job. */
  guard(tx: Sql): Promise<void>;
  logger: Logger;
};

/** Does one kind of job. Errors are thrown: the wrapper decides what becomes of the row. */
export type JobHandler<Kind extends JobKind = JobKind> = {
  run(ctx: WorkerContext, job: JobRun<Kind>): Promise<Outcome>;
  /**
   * Tells the subject that the job has failed for good. It may be called again when it could not be finished.
   *
   * @returns what the job ends as, where an earlier attempt may have brought the subject to its end.
   */
  giveUp(ctx: WorkerContext, job: JobRun<Kind>, error: JobError): Promise<Outcome | void>;
};
