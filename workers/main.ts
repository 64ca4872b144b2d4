import { parseArgs } from 'node:util';
import { ConfigError, loadConfig } from '../shared/config.js';
import { createContext } from '../shared/context.js';
import { requireFittingIndex } from '../shared/knowledge/vector-index.js';
import { exitOnSignal } from '../shared/lifecycle.js';
import { createLogger } from '../shared/logger.js';
import { startOperationsServer } from './operations.js';
import { parseQueues } from './queues.js';
import { startWorker } from './worker.js';

/** Entry of a worker process: `node dist/workers/main.js [--queues replies,upkeep]`. */
async function main(): Promise<void> {
  const config = loadConfig();
  const logger = createLogger({ level: config.log.level, role: 'worker' });
  const { values } = parseArgs({ options: { queues: { type: 'string' } } });
  const queues = parseQueues(values.queues?.split(',').filter(Boolean) ?? config.worker.queues);
  const ctx = await createContext(config, logger, 'worker');
  await requireFittingIndex(ctx.vectors, logger);
  const worker = startWorker(ctx, queues);
  exitOnSignal(logger, () => worker.stop());
  await startOperationsServer(worker.ctx, worker.lastProgressAt);
  logger.info({ queues }, 'working');
}

main().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
});
