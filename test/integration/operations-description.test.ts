import { Ajv2020 } from 'ajv/dist/2020.js';
import { Ajv } from 'ajv';
import type { Express } from 'express';
import { afterAll, expect, test } from 'vitest';
import { createApp } from '../../api/app.js';
import { codesOf } from '../../api/operations/openapi/problems.js';
import { routes } from '../../api/routes.js';
import { errorStatuses } from '../../shared/errors.js';
import { clientEvents, serverEvents } from '../../shared/realtime/events.js';
import { startTestApp } from '../support/app.js';

const app = await startTestApp();
afterAll(app.close);

type Json = Record<string, any>; // oxlint-disable-line no-explicit-any -- a document is read as what it should be

const fetchJson = async (path: string): Promise<Json> => (await fetch(`${app.url}${path}`)).json() as Promise<Json>;
const openApi = await fetchJson('/api/openapi.json');
const asyncApi = await fetchJson('/api/asyncapi.json');

const operations = Object.entries(openApi.paths as Record<string, Record<string, Json>>).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
);
const described = operations
  .filter(({ path }) => path.startsWith('/api/v1/'))
  .map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`);

function everyObject(value: unknown, found: Json[] = []): Json[] {
  if (typeof value !== 'object' || value === null) return found;
  if (!Array.isArray(value)) found.push(value as Json);
  for (const inner of Object.values(value)) everyObject(inner, found);
  return found;
}

function resolve(document: Json, reference: string): unknown {
  expect(reference).toMatch(/^#\//);
  const keys = reference.slice(2).split('/');
  return keys.reduce<unknown>((node, key) => (node as Json | undefined)?.[key], document);
}

/** What the router of the app serves below a prefix, except the handlers that only answer 405. */
function served(express: Express, prefix: string): string[] {
  type Layer = {
    rawPath?: string;
    route?: { path: string; methods: Record<string, boolean> };
    handle: { stack?: Layer[] };
  };
  const walk = (layers: Layer[], base: string): string[] =>
    layers.flatMap(({ rawPath, route, handle }) => {
      if (route) {
        const methods = Object.keys(route.methods).filter((method) => method !== '_all');
        return methods.map((method) => `${method} ${base}${route.path}`);
      }
      return handle.stack ? walk(handle.stack, `${base}${rawPath === '/' ? '' : rawPath}`) : [];
    });
  const all = walk((express.router as unknown as { stack: Layer[] }).stack, '');
  return all.filter((route) => route.split(' ')[1]?.startsWith(prefix));
}

test('the table of routes, the router and the OpenAPI document say the same', () => {
  const table = routes.map(({ method, path }) => `${method} /api/v1${path}`).sort();
  expect(table.length).toBeGreaterThan(10);
  expect(new Set(table).size).toBe(table.length);
  expect(described.toSorted()).toEqual(table);
  expect(served(createApp(app.ctx), '/api/v1').sort()).toEqual(table);
});

test.each([
  ['/api/v1/messages/{id}/stream', 'get', ['Last-Event-ID'], { 200: ['text/event-stream'], 204: [] }],
  [
    '/api/v1/knowledge/{id}/file',
    'get',
    ['Range', 'If-Range', 'If-None-Match'],
    { 200: ['*/*'], 206: ['*/*'], 304: [] },
  ],
  ['/api/v1/documents/{id}/export', 'get', [], { 200: ['text/markdown', 'text/html', 'text/plain'] }],
  ['/api/v1/documents/{id}', 'patch', ['If-Match'], { 200: ['application/json'] }],
])('%s: what is read of the headers and answered without a problem is described', (path, method, headers, answers) => {
  const { parameters, responses } = openApi.paths[path][method] as { parameters: Json[]; responses: Json };
  expect(parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name)).toEqual(headers);
  const fine = Object.entries(responses).filter(([status]) => Number(status) < 400);
  expect(Object.fromEntries(fine.map(([status, { content }]) => [status, Object.keys(content ?? {})]))).toEqual(
    answers,
  );
});

test('a file that comes in several formats is described in each of them', () => {
  const { content } = openApi.paths['/api/v1/documents/{id}/export'].get.responses['200'] as Json;
  expect(Object.keys(content as Json)).toEqual(['text/markdown', 'text/html', 'text/plain']);
});

test('the OpenAPI document is complete: references, parameters, ids, answers', () => {
  expect(openApi.openapi).toBe('3.1.0');
  expect(openApi.info).toMatchObject({ title: 'Millrace', version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  for (const { $ref } of everyObject(openApi)) if ($ref) expect(resolve(openApi, $ref as string), $ref).toBeDefined();
  const ids = operations.map(({ operation }) => operation.operationId as string);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { method, path, operation } of operations) {
    const parameters = ((operation.parameters ?? []) as Json[]).map((parameter) =>
      parameter.$ref ? (resolve(openApi, parameter.$ref as string) as Json) : parameter,
    );
    const inPath = parameters.filter((parameter) => parameter.in === 'path');
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
    expect(inPath.map(({ name }) => name as string).sort(), path).toEqual(names.sort());
    expect(inPath.every(({ required }) => required === true)).toBe(true);
    expect(new Set(parameters.map((parameter) => `${parameter.in} ${parameter.name}`)).size).toBe(parameters.length);
    expect(parameters.every(({ schema }) => schema !== undefined)).toBe(true);
    expect(operation.summary, `${method} ${path}`).toMatch(/\S/);
    if (method === 'get' || method === 'delete') expect(operation.requestBody, path).toBeUndefined();
    const responses = Object.entries(operation.responses as Record<string, Json>);
    expect(responses.some(([status]) => status.startsWith('2'))).toBe(true);
    for (const [status, response] of responses) {
      expect(status).toMatch(/^[1-5]\d\d$/);
      expect(response.description, `${path} ${status}`).toMatch(/\S/);
    }
  }
});

test('every tag is described, and has operations', () => {
  const tags = openApi.tags as { name: string; description: string }[];
  const used = new Set(operations.flatMap(({ operation }) => operation.tags as string[]));
  expect(tags.map(({ name }) => name).toSorted()).toEqual([...used].toSorted());
  for (const { name, description } of tags) expect(description, name).toMatch(/\S/);
});

test('every schema of the OpenAPI document is valid JSON Schema 2020-12', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'https://millrace.invalid/openapi', ...openApi });
  for (const name of Object.keys(openApi.components.schemas as Json)) {
    expect(ajv.getSchema(`https://millrace.invalid/openapi#/components/schemas/${name}`), name).toBeTypeOf('function');
  }
  for (const { operation } of operations) {
    const parts = [operation.requestBody, ...Object.values(operation.responses as Json)] as (Json | undefined)[];
    for (const { schema } of parts.flatMap((part) => Object.values((part?.content ?? {}) as Record<string, Json>))) {
      const text = JSON.stringify(schema).replaceAll('"#/', '"https://millrace.invalid/openapi#/');
      expect(() => ajv.compile(JSON.parse(text) as Json), text).not.toThrow();
    }
  }
});

test('each route lists the codes that it can answer, under their status', () => {
  for (const endpoint of routes) {
    const path = `/api/v1${endpoint.path.replace(/:(\w+)/g, '{$1}')}`;
    const { responses } = openApi.paths[path][endpoint.method] as { responses: Record<string, Json> };
    for (const code of codesOf(endpoint)) {
      const codes =
        responses[errorStatuses[code]]?.content['application/problem+json'].schema.allOf[1].properties.code.enum;
      expect(codes, `${endpoint.method} ${path}`).toContain(code);
    }
  }
  const secured = operations.filter(
    ({ path, operation }) => path.startsWith('/api/v1/') && operation.security === undefined,
  );
  expect(secured.length).toBe(routes.filter(({ auth }) => auth !== 'public').length);
});

test('what is answered matches what is described', async () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'https://millrace.invalid/openapi', ...openApi });
  const check = (method: string, path: string, status: number, media: string, body: unknown): void => {
    const pointer = ['paths', path, method, 'responses', String(status), 'content', media, 'schema'];
    const encoded = pointer.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const validate = ajv.getSchema(`https://millrace.invalid/openapi#/${encoded}`);
    expect(validate, pointer.join(' ')).toBeTypeOf('function');
    expect(validate?.(body), ajv.errorsText(validate?.errors)).toBe(true);
  };
  const { accessToken } = await app.registerUser();
  const me = await app.request('GET', '/auth/me', { token: accessToken });
  check('get', '/api/v1/auth/me', 200, 'application/json', me.body);
  const unknown = await app.request('GET', '/auth/me');
  check('get', '/api/v1/auth/me', 401, 'application/problem+json', unknown.body);
  const wrong = await app.request('POST', '/auth/login', { body: { email: 'x' } });
  check('post', '/api/v1/auth/login', 400, 'application/problem+json', wrong.body);
  check('get', '/readyz', 200, 'application/json', await fetchJson('/readyz'));
});

test('every socket event is in the AsyncAPI document, in its direction', () => {
  const send = Object.values(asyncApi.operations as Json).filter(({ action }: Json) => action === 'send');
  const receive = Object.values(asyncApi.operations as Json).filter(({ action }: Json) => action === 'receive');
  const namesOf = (list: Json[]): string[] =>
    list.map(({ messages }) => {
      const inChannel = resolve(asyncApi, messages[0].$ref as string) as Json;
      return (resolve(asyncApi, inChannel.$ref as string) as Json).name as string;
    });
  expect(namesOf(send).sort()).toEqual(Object.keys(serverEvents).sort());
  expect(namesOf(receive).sort()).toEqual(Object.keys(clientEvents).sort());
  for (const { reply } of receive) expect(reply.messages).toHaveLength(2);
  for (const { summary, messages } of [...send, ...receive]) expect(summary, messages[0].$ref).toMatch(/\S/);
});

test('the AsyncAPI document is complete, with valid schemas', () => {
  expect(asyncApi.asyncapi).toBe('3.0.0');
  for (const { $ref } of everyObject(asyncApi)) if ($ref) expect(resolve(asyncApi, $ref as string), $ref).toBeDefined();
  const { messages, schemas } = asyncApi.components as { messages: Record<string, Json>; schemas: Json };
  for (const key of [...Object.keys(messages), ...Object.keys(schemas), ...Object.keys(asyncApi.operations as Json)]) {
    expect(key).toMatch(/^[\w.-]+$/);
  }
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'https://millrace.invalid/asyncapi', ...asyncApi });
  for (const key of Object.keys(messages)) {
    expect(ajv.getSchema(`https://millrace.invalid/asyncapi#/components/messages/${key}/payload`), key).toBeTypeOf(
      'function',
    );
  }
});

test('the reference page loads from this server alone, without inline scripts', async () => {
  for (const path of ['/api/docs', '/api/docs/events']) {
    const response = await fetch(`${app.url}${path}`);
    const html = await response.text();
    expect(response.status).toBe(200);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/script-src 'self'(;|$)/);
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>/);
    const loaded = [...html.matchAll(/<(?:script|link)[^>]+(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
    expect(loaded.length).toBeGreaterThan(0);
    for (const url of loaded) {
      expect(url).toMatch(/^\/(?!\/)/);
      const asset = await fetch(`${app.url}${url}`);
      expect(asset.status, url).toBe(200);
      expect(asset.headers.get('content-type'), url).toMatch(/javascript|css|image/);
      expect((await asset.text()).length).toBeGreaterThan(100);
    }
  }
  expect((await fetch(`${app.url}/`)).url).toBe(`${app.url}/api/docs`);
  const events = await (await fetch(`${app.url}/api/docs/events`)).text();
  for (const name of [...Object.keys(serverEvents), ...Object.keys(clientEvents)])
    expect(events).toContain(`<code>${name}</code>`);
  expect((await fetch(`${app.url}/api/docs/assets/package.json`)).status).toBe(404);
  expect((await fetch(`${app.url}/api/docs/assets/..%2fpackage.json`)).status).toBe(404);
});

test('how many items a page has is described, with its bounds', () => {
  const { parameters } = openApi.paths['/api/v1/knowledge/search'].get;
  const { schema } = parameters.find(({ name }: Json) => name === 'limit');
  expect(schema).toEqual({ type: 'integer', minimum: 1, maximum: 100, default: 10 });
});

test.each(['/healthz', '/readyz', '/metrics', '/api/openapi.json', '/api/docs'])(
  '%s can only be read',
  async (path) => {
    const answer = await fetch(`${app.url}${path}`, { method: 'POST' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await answer.json()).toMatchObject({ code: 'method_not_allowed' });
  },
);
