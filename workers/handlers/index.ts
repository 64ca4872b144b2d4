import type { JobKind } from '../../shared/jobs/index.js';
import type { JobHandler } from '../handler.js';
import { clean } from './clean.js';
import { replyToMessage } from './reply-to-message.js';

/** The handler of every kind of job: a kind of the catalogue without one does not compile. */
export const handlers: { [Kind in JobKind]: JobHandler<Kind> } = {
  'reply-to-message': replyToMessage,
  clean,
};
