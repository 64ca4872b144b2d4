import type { Endpoint } from '../endpoint.js';
import { deleteApiKey, getApiKeys, postApiKey } from './api-keys.js';
import { logInEndpoint } from './log-in.js';
import { logOutEndpoint } from './log-out.js';
import { getMe, patchMe } from './me.js';
import { refreshEndpoint } from './refresh.js';
import { registerEndpoint } from './register.js';

export const authRoutes: readonly Endpoint[] = [
  registerEndpoint,
  logInEndpoint,
  refreshEndpoint,
  logOutEndpoint,
  getMe,
  patchMe,
  getApiKeys,
  postApiKey,
  deleteApiKey,
];
