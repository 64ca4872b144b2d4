/**
 * Entry of `npm run reindex`: `dist/workers/reindex.js`, on what `npm start` would use; that may run meanwhile, or not.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { helpIfAsked } from '../help.js';
import { projectRoot } from './project-root.js';
import { takeServices } from './services.js';

const root = projectRoot();

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
