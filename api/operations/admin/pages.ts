import type { Response } from 'express';
import { escapeHtml, sendPage } from '../page.js';

const head = '<meta name="robots" content="noindex"><link rel="stylesheet" href="/admin/style.css">';

function page(res: Response, title: string, body: string, status = 200): void {
  res.setHeader('cache-control', 'no-store');
  // Without it browsers send `Origin: null` with our own forms.
  res.setHeader('referrer-policy', 'same-origin');
  sendPage(res, { title: `${title} · Millrace`, head, body }, status);
}

/** @param state what the form shows again after a try that was refused. */
export function loginPage(
  res: Response,
  state: { redirect: string; email?: string; error?: string },
  status = 200,
): void {
  const { redirect, email = '', error } = state;
  page(
    res,
    'Sign in',
    `<form class="card" method="post" action="/admin/login"><h1>Sign in</h1>
${error ? `<p class="error" role="alert">${escapeHtml(error)}</p>` : '<p>The queues are for admins.</p>'}
<input type="hidden" name="redirect" value="${escapeHtml(redirect)}">
<label>E-mail <input name="email" type="email" autocomplete="username" required value="${escapeHtml(email)}"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form>`,
    status,
  );
}

export function logoutPage(res: Response): void {
  page(
    res,
    'Sign out',
    `<form class="card" method="post" action="/admin/logout"><h1>Sign out?</h1><button>Sign out</button></form>`,
  );
}

/** For those whom the server knows, and who are no admins. */
export function forbiddenPage(res: Response, name: string): void {
  const text = `${name}, your account is not an admin's; the queues are for admins.`;
  page(
    res,
    'Not allowed',
    `<form class="card" method="post" action="/admin/logout"><h1>Not allowed</h1><p class="error">${escapeHtml(text)}</p>
<button>Sign in as somebody else</button></form>`,
    403,
  );
}
