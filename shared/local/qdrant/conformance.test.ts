import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { describe, expect, test } from 'vitest';
import { ownQdrant } from '../../../test/support/qdrant.js';
import { all, hasId, is, isAnyOf, not, some } from '../../adapters/vector-store/filter.js';
import { createQdrantStore } from '../../adapters/vector-store/qdrant.js';
import type { HybridQuery } from '../../adapters/vector-store/vector-store.js';

/** Qdrant's own description of its API, beside the project where it is present. */
const file = path.resolve(import.meta.dirname, '../../../../shared/data/qdrant/openapi.json');

type Schema = { [key: string]: unknown };
type Description = {
  paths: Record<string, Record<string, { requestBody?: Schema; responses: Record<string, Schema> } | undefined>>;
};
type Exchange = { method: string; path: string; request: unknown; status: number; response: unknown };

/** OpenAPI 3.0 says `nullable` where JSON Schema has a type `null`. */
function toJsonSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(toJsonSchema);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { nullable, ...rest } = schema as Schema;
  const converted = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, toJsonSchema(value)]));
  if (nullable !== true) return converted;
  return Object.keys(rest).length === 0 ? { type: 'null' } : { anyOf: [converted, { type: 'null' }] };
}

/** All that goes to and fro between the client and the stand-in. */
async function recording(target: string): Promise<{ url: string; exchanges: Exchange[]; close: () => void }> {
  const exchanges: Exchange[] = [];
  const pass = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await new Response(message as unknown as ReadableStream).text();
    const answer = await fetch(`${target}${message.url}`, {
      method: message.method ?? 'GET',
      headers: { 'content-type': 'application/json' },
      ...(body ? { body } : {}),
    });
    const text = await answer.text();
    exchanges.push({
      method: (message.method ?? '').toLowerCase(),
      path: (message.url ?? '').split('?')[0] ?? '',
      request: body ? JSON.parse(body) : undefined,
      status: answer.status,
      response: JSON.parse(text),
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
  };
  const server = createServer((message, response) => void pass(message, response)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    close: () => server.close().closeAllConnections(),
  };
}

async function useEverything(url: string): Promise<void> {
  const indexes = { owner: 'uuid', tag: 'keyword', approved: 'bool', page: 'integer' } as const;
  const store = createQdrantStore({ url, apiKey: undefined }, { alias: 'all', model: 'a', size: 3, indexes });
  const { collection } = await store.ensure();
  await store.check();
  const points = [1, 2, 3].map((n) => ({
    id: randomUUID(),
    dense: Float32Array.of(n, 1, 0),
    sparse: n === 3 ? { indices: [], values: [] } : { indices: [n, 4_294_967_295], values: [1, 0.5] },
    payload: { owner: randomUUID(), tag: ['a'], approved: true, page: n, title: null },
  }));
  await store.upsert(points);
  const filter = all(
    some(is('approved', true), isAnyOf('tag', ['a', 'b'])),
    not(is('page', 9)),
    hasId([points[0]?.id ?? '']),
  );
  await store.setPayload({ approved: false }, filter);
  const query: HybridQuery = {
    dense: Float32Array.of(1, 0, 0),
    sparse: { indices: [1], values: [1] },
    fusion: { by: 'distributions', dense: 0.5 },
    filter,
    limit: 5,
  };
  await store.search(query);
  await store.search({ ...query, fusion: { by: 'ranks', k: 60 }, fields: ['tag'] });
  await store.search({ ...query, fusion: { by: 'scores', dense: 10, sparse: 1 } });
  await store.search({ ...query, dense: undefined });
  await store.search({ ...query, sparse: undefined });
  for await (const page of store.scroll({}, { pageSize: 2, fields: ['tag'] })) expect(page.length).toBeGreaterThan(0);
  for await (const page of store.scroll(filter)) expect(page).toHaveLength(1);
  await store.count(filter);
  const next = await store.createCollection();
  await store.switchTo(next);
  await store.collections();
  await store.within(collection).deleteWhere(filter);
  await store.within(collection).deleteIds(points.map(({ id }) => id));
  await store.deleteCollection(collection);
  await expect(store.within(collection).count()).rejects.toMatchObject({ code: 'vector_store_missing' });
}

describe.runIf(existsSync(file))('what the client sends and the stand-in answers', () => {
  const api = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { paths: {} }) as Description;
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(toJsonSchema(api) as Schema, 'api');
  const patterns = Object.keys(api.paths)
    .map((template) => ({ template, pattern: new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`) }))
    // A fixed path goes before one with a name in it.
    .sort((a, b) => Number(a.template.includes('{')) - Number(b.template.includes('{')));

  function schemaAt(pointer: string[]): ValidateFunction {
    const escaped = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
    return ajv.compile({ $ref: `api#/${escaped.join('/')}` });
  }

  test('is as Qdrant describes it', async () => {
    const qdrant = await ownQdrant();
    const { url, exchanges, close } = await recording(qdrant.url);
    await useEverything(url);
    close();
    await qdrant.remove();
    const wrong: unknown[] = [];
    for (const { method, path: called, request, status, response } of exchanges) {
      const template = patterns.find(
        ({ pattern, template }) => pattern.test(called) && api.paths[template]?.[method],
      )?.template;
      const operation = template === undefined ? undefined : api.paths[template]?.[method];
      if (template === undefined || !operation) {
        wrong.push(`${method} ${called} is not in the description`);
        continue;
      }
      const at = ['paths', template, method];
      const json = ['content', 'application/json', 'schema'];
      if (operation.requestBody && request !== undefined) {
        const validate = schemaAt([...at, 'requestBody', ...json]);
        if (!validate(request)) wrong.push({ method, called, request, errors: validate.errors });
      }
      const validate = schemaAt([...at, 'responses', status === 200 ? '200' : '4XX', ...json]);
      if (!validate(response)) wrong.push({ method, called, status, response, errors: validate.errors });
    }
    expect(wrong).toEqual([]);
    expect(exchanges.length).toBeGreaterThan(25);
  });
});
