import type { Request } from 'express';

/**
 * Whether a form was sent by a page of this server: a foreign page that signs its visitor in here would see to it
 * that they work under an account of its choice. Clients that are no browser send neither header.
 */
export function isFromOwnPage(req: Request): boolean {
  const site = req.get('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const origin = req.get('origin');
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === req.host;
}

/** Where an admin lands who asked for nothing else. */
export const boardPath = '/admin/queues';

/** The page to go on to after signing in: one of the board, whatever a link says. */
export function localTarget(wanted: unknown): string {
  const base = 'http://local.invalid';
  if (typeof wanted !== 'string' || !URL.canParse(wanted, base)) return boardPath;
  const { origin, pathname, search } = new URL(wanted, base);
  const onBoard = pathname === boardPath || pathname.startsWith(`${boardPath}/`);
  return origin === base && onBoard ? pathname + search : boardPath;
}
