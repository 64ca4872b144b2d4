/**
 * Entry of `npm run reindex`: `dist/workers/reindex.js`, on what `npm start` would use; that may run meanwhile, or not.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { helpIfAsked } from '../help.js';
import { takeServices } from './services.js';

const built = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const root = existsSync(path.join(built, 'package.json')) ? built : path.dirname(built);

helpIfAsked('Usage: npm run reindex\n\nBuilds the vector index again, of what `npm start` would use.');
try {
  const services = await takeServices(root, process.env, (line) => console.log(line));
  const entry = path.join(root, 'dist/workers/reindex.js');
  const child = spawn(process.execPath, ['--enable-source-maps', entry], { env: services.env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  await services.stop();
  process.exit(code ?? 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
