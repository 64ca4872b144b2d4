import { describe, expect, test } from 'vitest';
import { violations } from './rules.js';
import { readSources, toSource } from './source.js';
import { heavyLoads } from './web-process.js';

const found = (file: string, text: string): string[] =>
  violations([toSource(file, text)]).map(({ message }) => message);
const importing = (file: string, specifier: string): string[] => found(file, `import { x } from '${specifier}';`);

test('the project keeps its own rules', () => {
  const sources = readSources(process.cwd());
  expect([...violations(sources), ...heavyLoads(sources)]).toEqual([]);
});

describe('reading imports', () => {
  const importsOf = (text: string): string[] => toSource('shared/jobs/clean.ts', text).imports;

  test.each([
    `import { a } from '../errors.js';`,
    `import type { A } from "../errors.js";`,
    `import {\n  a,\n  b,\n} from '../errors.js';`,
    `import '../errors.js';`,
    `export * from '../errors.js';`,
    `export { a } from '../errors.js';`,
    `const load = () => import('../errors.js');`,
  ])('%j is one', (text) => expect(importsOf(text)).toEqual(['shared/errors.ts']));

  test('packages, comments and exports of one’s own are none', () => {
    expect(
      importsOf(`import pg from 'pg';\n// import { a } from './a.js';\nexport const b = 'from "./b.js"';`),
    ).toEqual([]);
  });
});

describe('who may import whom', () => {
  test.each([
    ['api/app.ts', '../workers/main.js', 'different processes'],
    ['workers/main.ts', '../api/app.js', 'different processes'],
    ['shared/conversations/reply.ts', '../context.js', 'upwards'],
    ['shared/backlog/claim.ts', '../conversations/reply.js', 'upwards'],
    ['shared/database.ts', './backlog/claim.js', 'upwards'],
    ['shared/realtime/events.ts', '../accounts/principal.js', 'upwards'],
    ['shared/context.ts', '../api/app.js', 'upwards'],
    ['shared/conversations/reply.ts', '../knowledge/search.js', 'do not know each other'],
    ['shared/accounts/users.ts', '../conversations/reply.js', 'do not know each other'],
    ['api/main.ts', '../shared/local/redis.js', 'without the local stack'],
    ['workers/main.ts', '../test/support/stack.js', 'without the local stack'],
    ['api/app.ts', '../shared/client/index.js', 'for users of the API'],
    ['shared/client/index.ts', '../database.js', 'also runs in browsers'],
    ['test/acceptance/reply.test.ts', '../../shared/errors.js', 'speak HTTP and sockets'],
    ['test/acceptance/reply.test.ts', '../../api/app.js', 'speak HTTP and sockets'],
  ])('%s must not import %s', (file, specifier, why) => {
    expect(importing(file, specifier)).toEqual([expect.stringContaining(why)]);
  });

  test.each([
    ['api/app.ts', '../shared/conversations/reply.js'],
    ['workers/main.ts', '../shared/context.js'],
    ['shared/context.ts', './backlog/dispatch.js'],
    ['shared/conversations/reply.ts', '../accounts/principal.js'],
    ['shared/conversations/reply.ts', '../backlog/enqueue.js'],
    ['shared/backlog/claim.ts', '../jobs/index.js'],
    ['shared/client/index.ts', '../realtime/events.js'],
    ['shared/backlog/claim.test.ts', '../context.js'],
    ['test/integration/reply.test.ts', '../../workers/main.js'],
    ['test/acceptance/reply.test.ts', '../../shared/client/index.js'],
  ])('%s may import %s', (file, specifier) => expect(importing(file, specifier)).toEqual([]));
});

describe('what a web process loads', () => {
  const heavyIn = (statement: string) =>
    heavyLoads([
      toSource('api/main.ts', `import { search } from '../shared/knowledge/search.js';`),
      toSource('shared/knowledge/search.ts', statement),
      toSource('workers/main.ts', `import { extract } from '../shared/knowledge/extraction/extract.js';`),
    ]);

  test.each([
    `import { model } from '../adapters/language-model/anthropic.js';`,
    `export { extract } from './extraction/extract.js';`,
    `const load = () => import('./chunking/chunk.js');`,
  ])('is not for workers: %s', (statement) =>
    expect(heavyIn(statement)).toEqual([
      { file: 'shared/knowledge/search.ts', message: expect.stringContaining('that is for workers') },
    ]),
  );

  test.each([`import type { Chunk } from './chunking/chunk.js';`, `import { is } from './policy.js';`])(
    'may be anything else: %s',
    (statement) => expect(heavyIn(statement)).toEqual([]),
  );
});

describe('configuration and connections', () => {
  test('process.env is read in one place', () => {
    const text = 'export const url = process.env.DATABASE_URL;';
    expect(found('shared/database.ts', text)).toEqual([expect.stringContaining('only shared/config.ts')]);
    for (const file of ['shared/config.ts', 'prisma/migrate.ts', 'shared/local/main.ts', 'test/support/stack.ts']) {
      expect(found(file, text)).toEqual([]);
    }
    expect(found('shared/database.ts', '/** Not from process.env. */')).toEqual([]);
  });

  test.each([
    ['ioredis', 'new Redis(url)'],
    ['pg', 'new pg.Pool({})'],
    ['pg', 'new Client()'],
    ['bullmq', "new Queue('a')"],
    ['bullmq', "new Worker<Data>('a', run)"],
    ['../../prisma/client/client.js', 'new PrismaClient()'],
    ['../redis.js', "connectRedis(url, 'commands')"],
  ])('what %s makes stays out of a domain: %s', (from, code) => {
    const text = `import { x } from '${from}';\nconst x = ${code};`;
    expect(found('shared/conversations/reply.ts', text)).toEqual([expect.stringContaining('opens a connection')]);
    expect(found('shared/conversations/reply.test.ts', text)).toEqual([]);
  });

  test('a worker of another package is no connection', () => {
    expect(
      found('shared/knowledge/parse.ts', "import { Worker } from 'node:worker_threads';\nnew Worker(file);"),
    ).toEqual([]);
  });

  test('a context may open what its makers make, and makers declare it', () => {
    const importRedis = "import { Redis } from 'ioredis';\n";
    expect(found('shared/context.ts', 'const database = createDatabase(settings);')).toEqual([]);
    expect(found('shared/context.ts', `${importRedis}const redis = new Redis(url);`)).toHaveLength(1);
    const maker = `${importRedis}export function connectRedis(url) { return new Redis(url); }`;
    expect(found('shared/redis.ts', maker)).toEqual([]);
  });
});

test('a long file says why', () => {
  const long = 'a;\n'.repeat(251);
  expect(found('api/app.ts', long)).toEqual([expect.stringContaining('251 lines')]);
  expect(found('api/app.ts', 'a;\n'.repeat(250))).toEqual([]);
  expect(found('api/app.ts', `// Long: one table that is read from top to bottom.\n${long}`)).toEqual([]);
  expect(found('api/app.ts', `// Long:\n${long}`)).toHaveLength(1);
});
