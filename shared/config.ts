import { z } from 'zod';
import { parseStorage, type StorageSettings } from './adapters/object-store/create.js';
import { queueNames } from './jobs/index.js';
import { toOrigin } from './origins.js';

/** Empty means not set: `.env` files and compose files both write `NAME=`. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema);
const integer = (fallback: number, min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return optional(z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error }).default(fallback));
};
/** One of some words. */
const choice = <const Word extends string>(words: readonly Word[]) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` });
const flag = (fallback: boolean) =>
  optional(
    choice(['true', 'false', '1', '0', 'on', 'off', 'yes', 'no'])
      .default(fallback ? 'true' : 'false')
      .transform((value) => ['true', '1', 'on', 'yes'].includes(value)),
  );
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' });
const list = optional(
  z
    .string()
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean),
    ),
);

const origins = list.transform((written, issues) => {
  const known = written.map(toOrigin).filter((origin) => origin !== null);
  if (known.length < written.length) issues.addIssue('may name only origins, such as https://app.example.com, or be *');
  return known;
});

const amount = z.number().nonnegative();
const price = z.strictObject({ input: amount, output: amount, cacheWrite: amount, cacheRead: amount });
const modelPrices = z.string().transform((value, issues) => {
  const prices = z.record(z.string().min(1), price).safeParse(fromJson(value));
  if (prices.success) return prices.data;
  issues.addIssue('must be JSON like {"model": {"input": 2, "output": 10, "cacheWrite": 2.5, "cacheRead": 0.2}}');
  return z.NEVER;
});

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const weight = { error: 'must be a number from 0 to 1' };
const apiKey = { error: 'must be set; keys are made at console.anthropic.com' };

/** Every variable that Millrace reads, with its default. `docs/configuration.md` and `.env.example` list the same names. */
export const environmentSchema = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be set to a postgresql:// URL' }),
  MAX_POOL_SIZE: integer(20, 1, 500),
  POOL_TIMEOUT: integer(30, 1, 300),
  QUERY_TIMEOUT: integer(30, 1, 3600),
  JOB_QUERY_TIMEOUT: integer(120, 1, 3600),
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'must be set to a redis:// or rediss:// URL' }),
  QDRANT_URL: optional(httpUrl.optional()),
  QDRANT_HOST: optional(z.string().min(1).max(255).optional()),
  QDRANT_PORT: integer(6_333, 1, 65_535),
  QDRANT_API_KEY: optional(z.string().optional()),
  QDRANT_COLLECTION: optional(
    z
      .string()
      .regex(/^[\w-]{1,200}$/, 'may have letters, digits, _ and - only')
      .default('knowledge_store'),
  ),
  QDRANT_VECTOR_SIZE: integer(1_536, 16, 65_536),
  EMBEDDING_URL: optional(httpUrl.optional()),
  EMBEDDING_API_KEY: optional(z.string().optional()),
  EMBEDDING_MODEL: optional(z.string().min(1).max(200).default('text-embedding-3-small')),
  EMBEDDING_WEIGHT: optional(z.coerce.number(weight).min(0, weight).max(1, weight).default(0.7)),
  EMBEDDING_CONCURRENCY: integer(4, 1, 100),
  EMBEDDING_REQUESTS_PER_MINUTE: integer(0, 0, 1_000_000),
  STORAGE: optional(
    z
      .string()
      .default('.millrace/storage')
      .refine((value) => parseStorage(value) !== null, 'must be a folder, or s3://bucket/prefix'),
  ),
  MAX_FILE_MB: integer(250, 1, 5_000),
  INGESTION_CONCURRENCY: integer(3, 1, 64),
  INGESTION_PER_USER: integer(2, 1, 64),
  JWT_SECRET: z
    .string({ error: 'must be set; for example to the output of: openssl rand -hex 32' })
    .min(32, 'must have at least 32 characters; openssl rand -hex 32 makes one'),
  ACCESS_TOKEN_MINUTES: integer(15, 1, 1440),
  REFRESH_TOKEN_DAYS: integer(30, 1, 365),
  DEFAULT_ROLE: optional(choice(['admin', 'power', 'regular', 'guest']).default('regular')),
  ANTHROPIC_API_KEY: z.string(apiKey).min(1, apiKey),
  ANTHROPIC_BASE_URL: optional(httpUrl.default('https://api.anthropic.com')),
  ANTHROPIC_MODEL: optional(z.string().min(1).max(100).default('claude-sonnet-5-5')),
  ANTHROPIC_MAX_TOKENS: integer(8_192, 1, 128_000),
  ANTHROPIC_CONTEXT_TOKENS: integer(200_000, 4_096, 10_000_000),
  ANTHROPIC_IDLE_TIMEOUT: integer(60, 1, 600),
  MODEL_PRICES: optional(modelPrices.optional()),
  LOG_LEVEL: optional(choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info')),
  DEBUG: flag(false),
  HOST: optional(z.string().default('0.0.0.0')),
  PORT: integer(3000, 0, 65_535),
  METRICS_PORT: integer(9464, 0, 65_535),
  METRICS_TOKEN: optional(z.string().min(16, 'must have at least 16 characters').optional()),
  CORS_ORIGINS: origins,
  TRUST_PROXY: integer(0, 0, 10),
  RATE_LIMIT_PER_MINUTE: integer(1_200, 0, 1_000_000),
  LOGIN_ATTEMPTS_PER_QUARTER_HOUR: integer(10, 1, 1_000_000),
  QUEUES: list.pipe(z.array(z.enum(queueNames, { error: `may name only ${queueNames.join(', ')}` }))),
  REPLIES_CONCURRENCY: integer(200, 1, 2_000),
  REPLIES_PER_USER: integer(5, 1, 1_000),
});

type Environment = z.infer<typeof environmentSchema>;

/** The settings of a process, validated and grouped by what uses them. Times are in the unit of their name. */
export type Config = ReturnType<typeof group>;

function group(env: Environment) {
  return {
    database: {
      url: env.DATABASE_URL,
      maxPoolSize: env.MAX_POOL_SIZE,
      poolTimeoutMs: env.POOL_TIMEOUT * 1000,
      queryTimeoutMs: env.QUERY_TIMEOUT * 1000,
      jobQueryTimeoutMs: env.JOB_QUERY_TIMEOUT * 1000,
    },
    redis: { url: env.REDIS_URL },
    vectorStore: {
      url: env.QDRANT_URL ?? `http://${env.QDRANT_HOST ?? '127.0.0.1'}:${env.QDRANT_PORT}`,
      apiKey: env.QDRANT_API_KEY,
      collection: env.QDRANT_COLLECTION,
    },
    embedder: {
      url: env.EMBEDDING_URL,
      apiKey: env.EMBEDDING_API_KEY,
      model: env.EMBEDDING_MODEL,
      size: env.QDRANT_VECTOR_SIZE,
      weight: env.EMBEDDING_WEIGHT,
      concurrency: env.EMBEDDING_CONCURRENCY,
      requestsPerMinute: env.EMBEDDING_REQUESTS_PER_MINUTE,
    },
    // The schema has looked at it.
    storage: parseStorage(env.STORAGE) as StorageSettings,
    knowledge: {
      maxFileBytes: env.MAX_FILE_MB * 1024 * 1024,
      concurrency: env.INGESTION_CONCURRENCY,
      perUser: env.INGESTION_PER_USER,
    },
    accounts: {
      jwtSecret: env.JWT_SECRET,
      accessTokenSeconds: env.ACCESS_TOKEN_MINUTES * 60,
      refreshTokenSeconds: env.REFRESH_TOKEN_DAYS * 86_400,
      defaultRole: env.DEFAULT_ROLE,
      loginAttemptsPerQuarterHour: env.LOGIN_ATTEMPTS_PER_QUARTER_HOUR,
    },
    model: {
      apiKey: env.ANTHROPIC_API_KEY,
      baseURL: env.ANTHROPIC_BASE_URL,
      model: env.ANTHROPIC_MODEL,
      maxTokens: env.ANTHROPIC_MAX_TOKENS,
      contextTokens: env.ANTHROPIC_CONTEXT_TOKENS,
      idleTimeoutMs: env.ANTHROPIC_IDLE_TIMEOUT * 1000,
      prices: env.MODEL_PRICES ?? {},
    },
    log: { level: env.DEBUG && env.LOG_LEVEL === 'info' ? 'debug' : env.LOG_LEVEL },
    web: {
      host: env.HOST,
      port: env.PORT,
      corsOrigins: env.CORS_ORIGINS,
      trustProxy: env.TRUST_PROXY,
      requestsPerMinute: env.RATE_LIMIT_PER_MINUTE,
    },
    metrics: { port: env.METRICS_PORT, token: env.METRICS_TOKEN },
    worker: { queues: env.QUEUES },
    replies: { concurrency: env.REPLIES_CONCURRENCY, perUser: env.REPLIES_PER_USER },
  };
}

/** Thrown by {@link loadConfig} with every mistake of the environment in one message. */
export class ConfigError extends Error {}

/**
 * Reads the settings of a process. The only place that looks at `process.env`.
 *
 * @param overrides what the command line says instead.
 * @throws {ConfigError} naming every variable that is missing or wrong, never showing its value.
 */
export function loadConfig(
  env: Record<string, string | undefined> = process.env,
  overrides: Partial<Record<keyof Environment, string>> = {},
): Config {
  const parsed = environmentSchema.safeParse({ ...env, ...overrides });
  if (!parsed.success) {
    // The items of a list are wrong each for itself: the variable is named once.
    const lines = parsed.error.issues.map(({ path, message }) => `  ${String(path[0])}: ${message}`);
    throw new ConfigError(`The configuration has mistakes:\n${[...new Set(lines)].join('\n')}`);
  }
  return group(parsed.data);
}
