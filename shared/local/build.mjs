/**
 * `npm run build`: makes the Prisma client if the schema has changed, then compiles to `dist/` if a source has.
 * Works offline.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const require = createRequire(path.join(root, 'package.json'));

generateClient();
compile();

function generateClient() {
  const schema = readFileSync(path.join(root, 'prisma/schema.prisma'));
  const config = readFileSync(path.join(root, 'prisma/prisma.config.ts'));
  const { version } = JSON.parse(readFileSync(require.resolve('prisma/package.json'), 'utf8'));
  const wanted = createHash('sha256').update(version).update(schema).update(config).digest('hex');
  const stamp = path.join(root, 'prisma/client/.made-from');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  run('The Prisma client could not be made', 'prisma', ['generate', '--config', 'prisma/prisma.config.ts'], {
    // Making a client needs no schema engine, but Prisma downloads one unless a file is named.
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  });
  writeFileSync(stamp, wanted);
}

function compile() {
  const wanted = sourcesHash();
  const stamp = path.join(root, 'dist/.made-from');
  // The compiler's record of the last build must not outlive what that build made.
  const built = existsSync(path.join(root, 'dist/shared/local/main.js'));
  if (!built) rmSync(path.join(root, 'dist/.tsbuildinfo'), { force: true });
  // Asking the compiler takes a second or two of processor time at every start.
  else if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  run('The build failed', 'tsc', []);
  writeFileSync(stamp, wanted);
}

/** What tells whether anything that is compiled, or compiles, is another than last time. */
function sourcesHash() {
  const hash = createHash('sha256');
  const add = (file) => {
    const { mtimeMs, size } = statSync(path.join(root, file));
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  };
  ['tsconfig.json', 'package.json', 'package-lock.json'].forEach(add);
  // An image is built without the tests.
  for (const folder of ['api', 'workers', 'shared', 'prisma', 'test'].filter((name) =>
    existsSync(path.join(root, name)),
  )) {
    const files = readdirSync(path.join(root, folder), { recursive: true });
    files
      .filter((file) => file.endsWith('.ts'))
      .sort()
      .forEach((file) => add(path.join(folder, file)));
  }
  return hash.digest('hex');
}

/** Runs a tool of node_modules with its output shown if it fails; ends the build then. */
function run(complaint, tool, args, env = {}) {
  const manifest = tool === 'tsc' ? 'typescript/package.json' : `${tool}/package.json`;
  const { bin } = JSON.parse(readFileSync(require.resolve(manifest), 'utf8'));
  const script = path.join(path.dirname(require.resolve(manifest)), typeof bin === 'string' ? bin : bin[tool]);
  const ran = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (ran.status === 0) return;
  console.error(`${ran.stdout}${ran.stderr}`.trim());
  console.error(`${complaint}.`);
  process.exit(1);
}
