import type { z } from 'zod';

/** A lane with workers and limits of its own. */
export type QueueName = 'replies' | 'documents' | 'ingestion' | 'embeddings' | 'vectors' | 'upkeep';

/** Every queue, in the order in which a worker opens them. */
export const queueNames: readonly QueueName[] = [
  'replies',
  'documents',
  'ingestion',
  'embeddings',
  'vectors',
  'upkeep',
];

/** What is agreed on between those who ask for a kind of job and the handler that does it. */
export type JobContract<Kind extends string = string, Payload extends z.ZodType = z.ZodType> = {
  kind: Kind;
  queue: QueueName;
  /** Ids only: what they name is read when the job runs. Parsed when produced and when consumed. */
  payload: Payload;
  /** After so many attempts that ended in a transient error, or without a word, the job has failed. */
  maxFailures: number;
  /** Goes ahead of what its queue holds, whoever asked for that. */
  urgent?: boolean;
  /** Follows from a change that is saved, and makes the rest agree with it: nobody can cancel it. */
  implied?: boolean;
  /** Why it may run again after having been done half. */
  repeatable: string;
};

/** Keeps the literal types of a contract. */
export function defineJob<Kind extends string, Payload extends z.ZodType>(
  contract: JobContract<Kind, Payload>,
): JobContract<Kind, Payload> {
  return contract;
}
