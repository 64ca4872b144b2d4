import type { Endpoint } from '../endpoint.js';
import { getUsage } from './get-usage.js';

export const usageRoutes: readonly Endpoint[] = [getUsage];
