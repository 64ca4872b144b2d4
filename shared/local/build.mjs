/**
 * `npm run build`: makes the Prisma client if the schema has changed, then compiles to `dist/`. Works offline,
 * and takes about a second when nothing has changed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  // The compiler's record of the last build must not outlive what that build made.
  const built = existsSync(path.join(root, 'dist/shared/local/main.js'));
  if (!built) rmSync(path.join(root, 'dist/.tsbuildinfo'), { force: true });
  run('The build failed', 'tsc', []);
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
