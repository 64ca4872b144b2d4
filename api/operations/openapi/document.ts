import type { z } from 'zod';
import type { Endpoint } from '../../endpoint.js';
import { operationsPaths } from './operations-paths.js';
import { problemResponses, problemSchema } from './problems.js';
import { createSchemaCollector, type Json, type SchemaCollector } from './schemas.js';
import { tags } from './tags.js';

const basePath = '/api/v1';

/** Describes the routes as OpenAPI 3.1. */
export function openApiDocument(endpoints: readonly Endpoint[], version: string): Json {
  const schemas = createSchemaCollector('draft-2020-12');
  const problem = schemas.describe(problemSchema, 'output');
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    const path = `${basePath}${endpoint.path.replace(/:(\w+)/g, '{$1}')}`;
    paths[path] = { ...paths[path], [endpoint.method]: operation(endpoint, schemas, problem) };
  }
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version,
      summary: 'A self-hosted backend on which a team talks, writes and looks things up together with Claude.',
      description:
        'Lists come in pages: give `nextCursor` as `cursor` to read on. Errors are problem documents with a stable ' +
        '`code`. What one may not see is answered 404, what one may see but not do 403. Replies are streamed as ' +
        'server-sent events, and over Socket.IO, whose events are described in [/api/asyncapi.json](/api/asyncapi.json).',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'This server.' }],
    security: [{ bearer: [] }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths: { ...paths, ...operationsPaths },
    components: { ...components, schemas: {} as Json },
  };
  document.components.schemas = schemas.finish(document);
  return document;
}

function operation(endpoint: Endpoint, schemas: SchemaCollector, problem: Json): Json {
  const admins = endpoint.auth === 'admin' ? 'Only for admins.' : '';
  const description = [endpoint.description, admins].filter(Boolean).join(' ');
  return {
    operationId: operationId(endpoint),
    summary: endpoint.summary,
    ...(description ? { description } : {}),
    tags: [endpoint.tag],
    ...(endpoint.auth === 'public' ? { security: [] } : {}),
    parameters: parameters(endpoint, schemas),
    ...(endpoint.body
      ? {
          requestBody: {
            required: !endpoint.bodyOptional,
            content: { 'application/json': { schema: schemas.describe(endpoint.body, 'input') } },
          },
        }
      : {}),
    ...(endpoint.multipart ? { requestBody: form(endpoint.multipart, schemas) } : {}),
    responses: {
      [endpoint.response.status]: success(endpoint, schemas),
      ...others(endpoint),
      ...problemResponses(endpoint, problem),
    },
  };
}

function form({ file, fields }: NonNullable<Endpoint['multipart']>, schemas: SchemaCollector): Json {
  const described = schemas.describe(fields, 'input') as { properties?: Json; required?: string[] };
  // Without `type`: what a file holds is bytes, not a string of JSON.
  const properties = {
    ...described.properties,
    file: { description: file, contentMediaType: 'application/octet-stream' },
  };
  const schema = { ...described, properties, required: [...(described.required ?? []), 'file'] };
  return { required: true, content: { 'multipart/form-data': { schema } } };
}

/** `POST /conversations/:id/messages` is `postConversationsIdMessages`: stable, and unique as the route is. */
function operationId({ method, path }: Endpoint): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter(Boolean);
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function parameters(endpoint: Endpoint, schemas: SchemaCollector): Json[] {
  const list = [...fields(endpoint.params, 'path', schemas), ...fields(endpoint.query, 'query', schemas)];
  if (endpoint.idempotent) list.push({ $ref: '#/components/parameters/IdempotencyKey' });
  for (const [name, description] of Object.entries(endpoint.headers ?? {})) {
    list.push({ name, in: 'header', required: false, description, schema: { type: 'string' } });
  }
  return list;
}

function fields(shape: z.ZodType | undefined, where: 'path' | 'query', schemas: SchemaCollector): Json[] {
  if (!shape) return [];
  const { properties = {}, required = [] } = schemas.describe(shape, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function success(endpoint: Endpoint, schemas: SchemaCollector): Json {
  const { response } = endpoint;
  const replayed = endpoint.idempotent
    ? { 'Idempotency-Replayed': { $ref: '#/components/headers/IdempotencyReplayed' } }
    : {};
  const answer = { description: response.description, headers: { 'X-Request-Id': requestId, ...replayed } };
  if ('stream' in response) return { ...answer, content: contentOf(response.stream) };
  // `nothing` is the one schema that is not a value.
  if (response.schema.def.type === 'void') return answer;
  return { ...answer, content: { 'application/json': { schema: schemas.describe(response.schema, 'output') } } };
}

/** Bytes have no type in JSON Schema; text is a string. */
const contentOf = (types: readonly string[]): Json =>
  Object.fromEntries(types.map((type) => [type, { schema: type.startsWith('text/') ? { type: 'string' } : {} }]));

function others({ response }: Endpoint): Json {
  if (!('stream' in response)) return {};
  return Object.fromEntries(
    Object.entries(response.others ?? {}).map(([status, description]) => [
      status,
      {
        description,
        headers: { 'X-Request-Id': requestId },
        ...(status === '206' ? { content: contentOf(response.stream) } : {}),
      },
    ]),
  );
}

const requestId = { $ref: '#/components/headers/RequestId' };

const components = {
  securitySchemes: {
    bearer: {
      type: 'http',
      scheme: 'bearer',
      description: 'An access token (from register, login or refresh) or an API key.',
    },
  },
  headers: {
    RequestId: { description: 'Finds the request in the log.', schema: { type: 'string' } },
    RetryAfter: { description: 'Seconds until another try makes sense.', schema: { type: 'integer' } },
    IdempotencyReplayed: {
      description: '`true`: the answer to an earlier request with the same key.',
      schema: { type: 'string' },
    },
  },
  parameters: {
    IdempotencyKey: {
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description:
        'Chosen by the caller: a repeat with the same key and body does nothing again and gets the first answer.',
      schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
    },
  },
};
