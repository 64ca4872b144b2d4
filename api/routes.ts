import { authRoutes } from './auth/routes.js';
import { conversationRoutes } from './conversations/routes.js';
import { documentRoutes } from './documents/routes.js';
import type { Endpoint } from './endpoint.js';
import { jobRoutes } from './jobs/routes.js';
import { knowledgeRoutes } from './knowledge/routes.js';
import { usageRoutes } from './usage/routes.js';
import { userRoutes } from './users/routes.js';

/** Every route below /api/v1. What is served, what is described and what tests go through is this list. */
export const routes: readonly Endpoint[] = [
  ...authRoutes,
  ...userRoutes,
  ...conversationRoutes,
  ...documentRoutes,
  ...knowledgeRoutes,
  ...jobRoutes,
  ...usageRoutes,
];
