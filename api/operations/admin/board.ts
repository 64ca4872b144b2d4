import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bullmq';
import type { Express, RequestHandler, Response } from 'express';

const redacted = '[redacted]';

/** The fonts come with the system: a page that asks another server for them tells it who looks. */
const foreignLinks = /<link[^>]+href="https?:[^>]*>/g;

/**
 * bull-board over the run queues, only to look: a retry there would know nothing of the row in Postgres, which is
 * the job. Of what a job carries only the id of its row and the number of the delivery are shown.
 */
export function createBoard(queues: ReadonlyMap<string, Queue>, basePath: string): RequestHandler {
  const server = new ExpressAdapter();
  server.setBasePath(basePath);
  createBullBoard({
    queues: [...queues.values()].map(readOnlyAdapter),
    serverAdapter: server,
    options: {
      uiConfig: {
        boardTitle: 'Millrace queues',
        hideDocsLink: true,
        miscLinks: [{ text: 'Sign out', url: '/admin/logout' }],
      },
      handlerHooks: {
        after: (_context, result) => ({ ...result, body: withoutTexts(result.body) as typeof result.body }),
      },
    },
  });
  const app = server.getRouter() as Express;
  app.disable('x-powered-by');
  return (req, res, next) => {
    withoutForeignLinks(res, next);
    app(req, res, next);
  };
}

function readOnlyAdapter(queue: Queue): BullMQAdapter {
  const adapter = new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false });
  adapter.setFormatter('data', onlyIds);
  adapter.setFormatter('returnValue', hide);
  return adapter;
}

function hide(value: unknown): unknown {
  return value === undefined || value === null ? value : redacted;
}

function onlyIds(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return hide(data);
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => {
      const isId = (key === 'id' && isUuid(value)) || (key === 'delivery' && Number.isInteger(value));
      return [key, isId ? value : redacted];
    }),
  );
}

const isUuid = (value: unknown): boolean => typeof value === 'string' && /^[\da-f-]{36}$/i.test(value);

/** What the formatters do not reach: errors quote what they failed on, and logs say anything. */
const texts = new Set([
  'progress',
  'failedReason',
  'stacktrace',
  'template',
  'deferredFailure',
  'ignoredChildFailureReasons',
]);

function withoutTexts(body: unknown): unknown {
  // The one answer that is a list is that of a job's log.
  if (Array.isArray(body)) return body.length > 0 ? [redacted] : [];
  return redactTexts(body);
}

function redactTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactTexts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (!texts.has(key) || !inner || typeof inner === 'number') return [key, redactTexts(inner)];
      return [key, Array.isArray(inner) ? inner.map(() => redacted) : redacted];
    }),
  );
}

function withoutForeignLinks(res: Response, next: (error: unknown) => void): void {
  res.render = ((view: string, values: object) => {
    res.app.render(view, values, (error, html) => {
      if (error) next(error);
      else res.type('html').send(html.replace(foreignLinks, ''));
    });
  }) as Response['render'];
}
