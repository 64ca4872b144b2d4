import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import express, { Router } from 'express';
import type { Endpoint } from '../../endpoint.js';
import { refuseMethods } from '../../middleware/refuse-methods.js';
import { openApiDocument } from '../openapi/document.js';
import { icon, sendPage, styleSheet } from '../page.js';
import { asyncApiDocument, describeEvents } from './asyncapi.js';
import { eventsPage } from './events-page.js';

/** Of the package only what the page loads: it brings 15 MB of other builds and maps along. */
const assets = ['swagger-ui.css', 'swagger-ui-bundle.js'];

/** The descriptions of the API and pages to read them, to be mounted under /api; works without the internet. */
export function docsRouter(endpoints: readonly Endpoint[]): Router {
  const router = Router();
  const version = ownVersion();
  const openApi = once(() => JSON.stringify(openApiDocument(endpoints, version)));
  const events = once(describeEvents);
  const asyncApi = once(() => JSON.stringify(asyncApiDocument(events(), version)));
  const eventsBody = once(() => eventsPage(events()));

  router.get('/openapi.json', (_req, res) => void res.type('json').send(openApi()));
  router.get('/asyncapi.json', (_req, res) => void res.type('json').send(asyncApi()));
  router.get('/docs', (_req, res) => sendPage(res, { title: 'Millrace API', head, body }));
  router.get('/docs/events', (_req, res) =>
    sendPage(res, { title: 'Millrace socket events', head: styleLink, body: eventsBody() }),
  );
  router.get('/docs/style.css', (_req, res) => void res.type('css').send(styleSheet));
  router.get('/docs/icon.svg', (_req, res) => void res.type('svg').send(icon));
  router.get('/docs/start.js', (_req, res) => void res.type('js').send(startScript));

  const pages = ['/docs', '/docs/events', '/docs/style.css', '/docs/icon.svg', '/docs/start.js'];
  router.all(['/openapi.json', '/asyncapi.json', ...pages], refuseMethods('GET, HEAD'));

  // Not by importing the package: its entry loads all of the user interface into this process.
  const folder = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const files = express.static(folder, { index: false, redirect: false, acceptRanges: false, maxAge: '1h' });
  router.use('/docs/assets', (req, res, next) => {
    if (assets.includes(req.path.slice(1))) files(req, res, next);
    else next();
  });
  return router;
}

const styleLink = '<link rel="stylesheet" href="/api/docs/style.css">';

const head =
  '<link rel="stylesheet" href="/api/docs/assets/swagger-ui.css">' +
  '<script src="/api/docs/assets/swagger-ui-bundle.js" defer></script><script src="/api/docs/start.js" defer></script>';

const body =
  '<p style="margin:1rem auto;max-width:1420px;padding:0 1.25rem;font-family:sans-serif">' +
  '<a href="/api/docs/events">Socket events</a> · <a href="/api/openapi.json">OpenAPI document</a> · ' +
  '<a href="/api/asyncapi.json">AsyncAPI document</a></p><div id="reference"></div>' +
  '<noscript>The reference needs JavaScript; the OpenAPI document does not.</noscript>';

// Without validatorUrl the page would ask a server on the internet to check the document.
const startScript = `window.SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
`;

/** The version of the nearest package.json: compiled code lies a folder deeper than its source. */
function ownVersion(): string {
  for (let folder = import.meta.dirname; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    try {
      const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version?: string };
      if (version) return version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return '0.0.0';
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
