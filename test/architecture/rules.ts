import type { Source } from './source.js';

/** One breach of a rule: where, and what to do instead. */
export type Violation = { file: string; message: string };

type Rule = (source: Source) => string[];

const isTest = (file: string): boolean => file.startsWith('test/') || file.endsWith('.test.ts');
const isLocal = (file: string): boolean => file.startsWith('shared/local/');
const isTool = (file: string): boolean => isTest(file) || isLocal(file) || file.startsWith('prisma/');
const inFolder = (file: string, folder: string): boolean => file.startsWith(`${folder}/`);

const domains = ['accounts', 'conversations', 'documents', 'knowledge'];
const domainOf = (file: string): string | undefined => domains.find((domain) => inFolder(file, `shared/${domain}`));

/** The floors from the ground up; a file that no pattern names is on the ground floor. */
const floors: { name: string; pattern: RegExp }[] = [
  { name: 'ground (adapters, realtime, jobs, database, errors, config …)', pattern: /^(shared|prisma)\// },
  { name: 'backlog', pattern: /^shared\/backlog\// },
  { name: 'domain', pattern: new RegExp(`^shared/(${domains.join('|')})/`) },
  { name: 'context', pattern: /^shared\/context\.ts$/ },
  { name: 'api or workers', pattern: /^(api|workers)\// },
];
const floorOf = (file: string): number => floors.findLastIndex((floor) => floor.pattern.test(file));

const apart: Rule = ({ path, imports }) => {
  const other = inFolder(path, 'api') ? 'workers' : inFolder(path, 'workers') ? 'api' : undefined;
  if (!other) return [];
  return imports
    .filter((to) => inFolder(to, other))
    .map((to) => `imports ${to}: api and workers are different processes; what both need belongs in shared`);
};

const downwards: Rule = ({ path, imports }) => {
  if (isTool(path)) return [];
  return imports
    .filter((to) => floorOf(to) > floorOf(path))
    .map(
      (to) =>
        `imports ${to} upwards (${floors[floorOf(path)]?.name} → ${floors[floorOf(to)]?.name}): take it as an argument`,
    );
};

const domainsApart: Rule = ({ path, imports }) => {
  const own = domainOf(path);
  if (!own || isTest(path)) return [];
  return imports
    .filter((to) => domainOf(to) !== undefined && domainOf(to) !== own && domainOf(to) !== 'accounts')
    .map((to) => `imports ${to}: domains do not know each other; let the endpoint, room or handler hand it in`);
};

const productOnly: Rule = ({ path, imports }) => {
  if (isTool(path)) return [];
  return imports
    .filter((to) => isTest(to) || isLocal(to))
    .map((to) => `imports ${to}: the product must run without the local stack and the tests`);
};

const clientAlone: Rule = ({ path, imports }) => {
  if (isTest(path)) return [];
  if (inFolder(path, 'shared/client')) {
    return imports
      .filter((to) => !inFolder(to, 'shared/client') && !/^shared\/(realtime\/[\w-]+|schemas)\.ts$/.test(to))
      .map((to) => `imports ${to}: the client also runs in browsers; of the server it may know the event types only`);
  }
  return imports
    .filter((to) => inFolder(to, 'shared/client'))
    .map((to) => `imports ${to}: the client is for users of the API, not for the server`);
};

const acceptance: Rule = ({ path, imports }) => {
  if (!inFolder(path, 'test/acceptance')) return [];
  return imports
    .filter((to) => !['test/acceptance', 'test/support', 'shared/client'].some((folder) => inFolder(to, folder)))
    .map((to) => `imports ${to}: acceptance tests speak HTTP and sockets; of the product they may use the client only`);
};

const oneReader: Rule = ({ path, code }) => {
  if (path === 'shared/config.ts' || isTool(path) || !/\bprocess\.env\b/.test(code)) return [];
  return ['reads process.env: only shared/config.ts does; take the setting as an argument'];
};

/** Classes that open connections when they are made, by the package that they come from. */
const constructors: Record<string, RegExp> = {
  ioredis: /\bnew\s+(Redis|Cluster)\s*[(<]/g,
  pg: /\bnew\s+(?:pg\.)?(Pool|Client)\s*[(<]/g,
  bullmq: /\bnew\s+(Queue|Worker|QueueEvents|FlowProducer)\s*[(<]/g,
};
const prismaClient = /\bnew\s+(PrismaClient)\s*[(<]/g;
const connectionMakers = /^(shared\/(database|redis|backlog\/run-queues)\.ts|workers\/[^/]+\.ts)$/;
const openers = /(?<!function )\b(connectRedis|createDatabase)\(/g;
const connectionUsers = /^(shared\/context\.ts|api\/(main|web)\.ts|api\/realtime\/[^/]+\.ts|workers\/[^/]+\.ts)$/;

const connections: Rule = ({ path, code, packages }) => {
  if (isTool(path)) return [];
  const patterns = [prismaClient, ...packages.flatMap((name) => constructors[name] ?? [])];
  const made = connectionMakers.test(path) ? [] : patterns.flatMap((pattern) => [...code.matchAll(pattern)]);
  const opened = connectionUsers.test(path) ? [] : [...code.matchAll(openers)];
  return [...made, ...opened].map(
    (match) => `opens a connection (${match[1]}): entries and shared/context.ts do, and hand it in`,
  );
};

const maxLines = 250;
const reason = /^\/\/ Long: \S.{9,}/;

const short: Rule = ({ text }) => {
  const lines = text.split('\n').length - 1;
  if (lines <= maxLines || reason.test(text)) return [];
  return [`has ${lines} lines: split what has two ideas, or begin the file with "// Long: <why it is one idea>"`];
};

const rules: Rule[] = [
  apart,
  downwards,
  domainsApart,
  productOnly,
  clientAlone,
  acceptance,
  oneReader,
  connections,
  short,
];

/** Every breach of the rules in `sources`, in the order of the files. */
export function violations(sources: Source[]): Violation[] {
  return sources.flatMap((source) =>
    rules.flatMap((rule) => rule(source)).map((message) => ({ file: source.path, message })),
  );
}
