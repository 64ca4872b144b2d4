import type { Response } from 'express';

/** Text, as it is put between tags and into quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/**
 * Sends a page with what it may load: scripts, styles and data of this server only, no inline scripts. It takes
 * the place of the general policy, which would have browsers fetch everything by https, where there may be none.
 */
export function sendPage(res: Response, page: { title: string; head?: string; body: string }, status = 200): void {
  allowOwnAssets(res);
  res
    .status(status)
    .type('html')
    .send(
      `<!doctype html>\n<html lang="en"><head><meta charset="utf-8">` +
        `<meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(page.title)}</title>` +
        '<link rel="icon" type="image/svg+xml" href="/api/docs/icon.svg">' +
        `${page.head ?? ''}</head><body>${page.body}</body></html>\n`,
    );
}

/** Sets the policy of {@link sendPage}. Inline styles do no harm that is worth breaking the two user interfaces. */
export function allowOwnAssets(res: Response): void {
  res.setHeader(
    'content-security-policy',
    [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data:",
      "font-src 'self' data:",
      "connect-src 'self'",
      "form-action 'self'",
      "base-uri 'self'",
      "frame-ancestors 'none'",
    ].join('; '),
  );
}

/** A mill wheel. Where a page names no icon browsers ask for /favicon.ico, in vain. */
export const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="#2b7de9" stroke-width="3">' +
  '<circle cx="16" cy="16" r="9"/><path d="M16 1v30M1 16h30M5.4 5.4l21.2 21.2M26.6 5.4 5.4 26.6"/></svg>';

/** The look of our own pages. */
export const styleSheet = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .85rem; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8884; border-radius: .4rem; }
h2 { margin-top: 2.5rem; } h3 { margin: 1.5rem 0 .25rem; }
form.card { max-width: 22rem; margin: 12vh auto; padding: 1.5rem; border: 1px solid #8886; border-radius: .6rem; }
label { display: block; margin: .75rem 0; }
input { display: block; box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; }
button { padding: .5rem 1rem; font: inherit; cursor: pointer; }
.error { padding: .5rem .75rem; border-left: 4px solid #c33; background: #c332; }
`;
