import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import { announceAccountChange } from '../../../shared/accounts/announce-change.js';
import { logIn } from '../../../shared/accounts/log-in.js';
import type { Principal } from '../../../shared/accounts/principal.js';
import { endSession } from '../../../shared/accounts/sessions.js';
import { AppError, toAppError } from '../../../shared/errors.js';
import type { WebContext } from '../../context.js';
import { addressOf } from '../../auth/present.js';
import { email, password } from '../../auth/schemas.js';
import { bearerToken } from '../../middleware/authenticate.js';
import { allowOwnAssets, styleSheet } from '../page.js';
import { boardPath, isFromOwnPage, localTarget } from './own-page.js';
import { forbiddenPage, loginPage, logoutPage } from './pages.js';
import { clearSessionCookie, readSessionCookie, setSessionCookie } from './session-cookie.js';

const formSchema = z.strictObject({ email, password, redirect: z.string().max(2_000).optional() });

/** Pages for admins in a browser, to be mounted under /admin: sign-in, and bull-board to look at the run queues. */
export function adminRouter(ctx: WebContext): Router {
  const router = Router();
  router.get('/style.css', (_req, res) => void res.type('css').send(styleSheet));
  router.get('/', (_req, res) => res.redirect(boardPath));
  router.get('/login', (req, res) => loginPage(res, { redirect: localTarget(req.query.redirect) }));
  router.post('/login', express.urlencoded({ extended: false, limit: '10kb' }), ownPagesOnly, (req, res) =>
    signIn(ctx, req, res),
  );
  router.get('/logout', (_req, res) => logoutPage(res));
  router.post('/logout', ownPagesOnly, (req, res) => signOut(ctx, req, res));
  router.use('/queues', (req, res, next) => guard(ctx, req, res, next), board(ctx));
  return router;
}

const ownPagesOnly: RequestHandler = (req, _res, next) => {
  if (!isFromOwnPage(req)) throw new AppError('forbidden', 'This form was sent by another site.');
  next();
};

async function signIn(ctx: WebContext, req: Request, res: Response): Promise<void> {
  const form = formSchema.safeParse(req.body ?? {});
  const redirect = localTarget(form.data?.redirect);
  if (!form.success) {
    loginPage(res, { redirect, error: 'Enter an e-mail address and a password.' }, 400);
    return;
  }
  const { accessTokens } = ctx.accounts;
  try {
    const attempt = { email: form.data.email, password: form.data.password, address: addressOf(req) };
    // The refresh token is thrown away: the session lives as long as its one access token.
    const { user, session } = await logIn(
      { database: ctx.database, ...ctx.accounts },
      attempt,
      accessTokens.lifetimeSeconds,
    );
    if (user.role !== 'admin') {
      await endSession(ctx.database, session.sessionId);
      forbiddenPage(res, user.name);
      return;
    }
    setSessionCookie(req, res, await accessTokens.sign(user.id, session.sessionId), accessTokens.lifetimeSeconds);
    res.redirect(303, redirect);
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code === 'internal') throw thrown;
    if (error.retryAfterSeconds !== undefined) res.setHeader('retry-after', Math.ceil(error.retryAfterSeconds));
    loginPage(res, { redirect, email: form.data.email, error: error.message }, error.status);
  }
}

async function signOut(ctx: WebContext, req: Request, res: Response): Promise<void> {
  const principal = await whoIs(ctx, readSessionCookie(req));
  if (principal?.credential.type === 'session') {
    await endSession(ctx.database, principal.credential.id);
    announceAccountChange(ctx, principal.userId);
  }
  clearSessionCookie(req, res);
  res.redirect(303, '/admin/login');
}

/** Lets admins through, who come with the cookie or, from a script, with a bearer; only to look. */
async function guard(ctx: WebContext, req: Request, res: Response, next: () => void): Promise<void> {
  const principal = await whoIs(ctx, bearerToken(req) ?? readSessionCookie(req));
  if (!principal) {
    // A script of the board could do nothing with a page.
    if (req.path.startsWith('/api/')) throw new AppError('unauthenticated', 'Sign in again at /admin/login.');
    res.setHeader('cache-control', 'no-store');
    res.redirect(303, `/admin/login?redirect=${encodeURIComponent(localTarget(req.originalUrl))}`);
  } else if (principal.role !== 'admin') {
    forbiddenPage(res, principal.name);
  } else if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.setHeader('allow', 'GET, HEAD');
    throw new AppError('method_not_allowed', 'The board only shows. Jobs are retried and cancelled through the API.');
  } else {
    next();
  }
}

/** @returns null for no token and for one that is not accepted (any more). */
async function whoIs(ctx: WebContext, token: string | null): Promise<Principal | null> {
  if (token === null) return null;
  try {
    return await ctx.principals.resolve(token);
  } catch (error) {
    if (error instanceof AppError && (error.status === 401 || error.status === 403)) return null;
    throw error;
  }
}

/** Loads bull-board when the first admin asks for it: a web process that nobody looks at stays small. */
function board(ctx: WebContext): RequestHandler {
  let loading: Promise<RequestHandler> | null = null;
  return async (req, res, next) => {
    loading ??= import('./board.js')
      .then(({ createBoard }) => createBoard(ctx.runQueues.queues, boardPath))
      .catch((error: unknown) => {
        loading = null;
        throw error;
      });
    const handler = await loading;
    allowOwnAssets(res);
    res.setHeader('referrer-policy', 'same-origin');
    handler(req, res, next);
  };
}
