import type { Json } from './schemas.js';

const check = {
  type: 'object',
  properties: {
    status: { enum: ['up', 'down'] },
    needed: { type: 'boolean' },
    milliseconds: { type: 'number' },
    reason: { type: 'string' },
  },
  required: ['status', 'needed', 'milliseconds'],
};

const readiness = {
  type: 'object',
  properties: {
    status: { enum: ['ready', 'degraded', 'unavailable'] },
    checks: { type: 'object', additionalProperties: check },
  },
  required: ['status', 'checks'],
};

const json = (description: string, schema: Json): Json => ({
  description,
  content: { 'application/json': { schema } },
});

/** What a web process serves beside the API, for those who run it. */
export const operationsPaths: Record<string, Json> = {
  '/healthz': {
    get: {
      operationId: 'getHealthz',
      tags: ['operations'],
      summary: 'Is the process alive',
      security: [],
      responses: {
        '200': json('It answers.', {
          type: 'object',
          properties: { status: { const: 'alive' } },
          required: ['status'],
        }),
      },
    },
  },
  '/readyz': {
    get: {
      operationId: 'getReadyz',
      tags: ['operations'],
      summary: 'Which stores can be reached, and how fast',
      security: [],
      responses: {
        '200': json(
          'Requests can be answered; `degraded` when Redis, Qdrant or the storage of files is away: most work is accepted ' +
            'and done later.',
          readiness,
        ),
        '503': json('Postgres is away.', readiness),
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'getMetrics',
      tags: ['operations'],
      summary: 'Metrics for Prometheus',
      description: 'With METRICS_TOKEN set, that token as a bearer is needed. Otherwise keep this path inside.',
      security: [{}, { bearer: [] }],
      responses: {
        '200': {
          description: 'The text format of Prometheus.',
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
        '401': {
          description: 'METRICS_TOKEN is set and was not sent.',
          content: { 'application/problem+json': { schema: { type: 'object' } } },
        },
      },
    },
  },
};
