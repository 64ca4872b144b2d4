import { JobFailure } from '../../errors.js';

/** Why a file cannot be read. Stable, for clients. */
export const failureCodes = [
  'encrypted',
  'damaged',
  'empty',
  'no_text',
  'unknown_type',
  'too_large',
  'too_many_pages',
  'timeout',
  'out_of_memory',
] as const;

export type FailureCode = (typeof failureCodes)[number];

/** A file that cannot be read, with a reason for people. Reading it again would end the same way. */
export class ExtractionFailed extends JobFailure {
  declare readonly code: FailureCode;

  constructor(code: FailureCode, message: string, cause?: unknown) {
    super(code, message, { transient: false, ofRequest: true, cause });
  }
}

/** What is said of a file whose content breaks the rules of its format. */
export function damaged(what: string, cause?: unknown): ExtractionFailed {
  return new ExtractionFailed('damaged', `The file is damaged: it is not a complete ${what} file.`, cause);
}

export function tookTooLong(cause?: unknown): ExtractionFailed {
  return new ExtractionFailed('timeout', 'Reading the file takes longer than is allowed.', cause);
}
