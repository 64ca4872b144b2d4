import type { Endpoint } from '../endpoint.js';
import { patchUser } from './change-user.js';
import { getUsers } from './list-users.js';
import { lookUpUser } from './look-up-user.js';

export const userRoutes: readonly Endpoint[] = [getUsers, lookUpUser, patchUser];
