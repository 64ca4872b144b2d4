import type { Endpoint } from '../endpoint.js';
import { getJob, postCancelJob, postRetry } from './jobs.js';

export const jobRoutes: readonly Endpoint[] = [getJob, postRetry, postCancelJob];
