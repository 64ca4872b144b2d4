import type { Request, Response } from 'express';

const name = 'millrace_admin';

/** Only sent to /admin by pages of this server: no other site can make a request with it. */
const attributes = { path: '/admin', httpOnly: true, sameSite: 'strict' } as const;

/** The access token that the browser of an admin holds, or null. */
export function readSessionCookie(req: Request): string | null {
  for (const pair of (req.get('cookie') ?? '').split(';')) {
    const [key, value] = pair.trim().split('=');
    // Access tokens are made of these characters, so nothing has to be decoded.
    if (key === name && value && /^[\w.-]{1,4096}$/.test(value)) return value;
  }
  return null;
}

/** @param seconds how long the browser keeps it; the token says for itself how long it is good. */
export function setSessionCookie(req: Request, res: Response, accessToken: string, seconds: number): void {
  res.cookie(name, accessToken, { ...attributes, secure: req.secure, maxAge: seconds * 1000 });
}

export function clearSessionCookie(req: Request, res: Response): void {
  res.clearCookie(name, { ...attributes, secure: req.secure });
}
