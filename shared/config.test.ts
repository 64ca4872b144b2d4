import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ConfigError, environmentSchema, loadConfig } from './config.js';

const required = {
  DATABASE_URL: 'postgresql://millrace:secret@localhost/millrace',
  REDIS_URL: 'redis://localhost:6379',
  JWT_SECRET: 'x'.repeat(32),
  ANTHROPIC_API_KEY: 'a key',
};

function mistakes(env: Record<string, string | undefined>): string {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

describe('loadConfig', () => {
  test('needs what has no default, and nothing else', () => {
    expect(mistakes(required)).toBe('');
    const missing = mistakes({});
    for (const name of Object.keys(required)) expect(missing).toContain(name);
    expect(missing.split('\n')).toHaveLength(1 + Object.keys(required).length);
  });

  test('lists every mistake at once and shows no value', () => {
    const message = mistakes({
      ...required,
      JWT_SECRET: 'short-and-secret',
      DATABASE_URL: 'mysql://root:hunter2@localhost/x',
      PORT: '99999',
      MAX_POOL_SIZE: 'many',
      DEFAULT_ROLE: 'god',
      MODEL_PRICES: '{"claude": {"input": -1}}',
    });
    for (const name of ['JWT_SECRET', 'DATABASE_URL', 'PORT', 'MAX_POOL_SIZE', 'DEFAULT_ROLE', 'MODEL_PRICES']) {
      expect(message).toContain(`  ${name}: `);
    }
    for (const value of ['short-and-secret', 'hunter2', '99999', 'god']) expect(message).not.toContain(value);
  });

  test('says what each variable must be, in words for who sets them', () => {
    const names = Object.keys(environmentSchema.shape).filter((name) => name !== 'HOST');
    for (const wrong of ['', ' ', '-', 'a:b']) {
      const lines = mistakes({ ...Object.fromEntries(names.map((name) => [name, wrong])) }).split('\n');
      for (const line of lines.slice(1)) expect(line).toMatch(/^ {2}[A-Z_]+: (must|may) /);
    }
  });

  test('an empty variable counts as not set', () => {
    const empty = Object.fromEntries(Object.keys(environmentSchema.shape).map((name) => [name, '']));
    expect(loadConfig({ ...empty, ...required })).toEqual(loadConfig(required));
  });

  test('knows the queues, and takes what the command line says instead', () => {
    expect(mistakes({ ...required, QUEUES: 'replies,nonsense,more' })).toMatch(
      /^.*\n {2}QUEUES: may name only replies,.*$/,
    );
    expect(loadConfig({ ...required, QUEUES: 'replies' }, { QUEUES: 'vectors,upkeep' }).worker.queues).toEqual([
      'vectors',
      'upkeep',
    ]);
  });

  test('takes lists, flags and units', () => {
    const env = { ...required, CORS_ORIGINS: 'https://a.example/, https://b.example,', DEBUG: 'on', POOL_TIMEOUT: '7' };
    const config = loadConfig(env);
    expect(config.web.corsOrigins).toEqual(['https://a.example', 'https://b.example']);
    expect(config.log.level).toBe('debug');
    expect(config.database.poolTimeoutMs).toBe(7_000);
  });
});

describe('the variables', () => {
  const names = Object.keys(environmentSchema.shape).toSorted();
  const defaults: Record<string, unknown> = environmentSchema.parse(required);
  const notOfProcesses = ['MILLRACE_INSTALL', 'POSTGRES_PASSWORD', 'WORKERS'];
  const guide = readFileSync('docs/configuration.md', 'utf8');
  const rows = [...guide.matchAll(/^\| `([A-Z_]+)` +\| (.+?) +\|/gm)].map(([, name = '', cell = '']) => ({
    name,
    cell,
  }));
  const example = [...readFileSync('.env.example', 'utf8').matchAll(/^([A-Z_]+)=(.*)$/gm)];

  /** How the guide writes a default. */
  function written(name: string): string[] {
    if (Object.hasOwn(required, name)) return ['required'];
    const value = defaults[name];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return ['none', 'all'];
    return [`\`${value as string | number | boolean}\``];
  }

  test('docs/configuration.md has all of them, with their defaults', () => {
    expect(rows.map(({ name }) => name).toSorted()).toEqual([...names, ...notOfProcesses].toSorted());
    for (const { name, cell } of rows.filter((row) => names.includes(row.name))) {
      expect(written(name), `the default of ${name}`).toContain(cell);
    }
  });

  test('.env.example has all of them, and what it sets is the default', () => {
    expect(example.map(([, name = '']) => name).toSorted()).toEqual([...names, ...notOfProcesses].toSorted());
    const set = Object.fromEntries(example.map(([, name = '', value]) => [name, value]));
    expect(loadConfig({ ...set, ...required })).toEqual(loadConfig(required));
  });
});
