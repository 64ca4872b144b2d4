import type { Request } from 'express';
import type { Principal } from '../../shared/accounts/principal.js';
import { AppError } from '../../shared/errors.js';
import type { WebContext } from '../context.js';
import type { Endpoint } from '../endpoint.js';

/** The token or API key of a request: `Authorization: Bearer …`. */
export function bearerToken(req: Request): string | null {
  const header = req.get('authorization');
  if (header === undefined) return null;
  const match = /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(header.trim());
  if (!match?.[1])
    throw new AppError('unauthenticated', 'The Authorization header must be: Bearer <token or API key>.');
  return match[1];
}

/**
 * Finds out who calls.
 *
 * @throws AppError `unauthenticated` and its kin, or `forbidden` where only admins may.
 */
export async function authenticate(
  ctx: WebContext,
  req: Request,
  required: Endpoint['auth'],
): Promise<Principal | null> {
  if (required === 'public') return null;
  const token = bearerToken(req);
  if (!token) throw new AppError('unauthenticated', 'Sign in first: send Authorization: Bearer <token or API key>.');
  const principal = await ctx.principals.resolve(token);
  if (required === 'admin' && principal.role !== 'admin') {
    throw new AppError('forbidden', 'Only admins may do this.');
  }
  return principal;
}
