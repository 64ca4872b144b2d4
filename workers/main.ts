import { parseArgs } from 'node:util';
import { loadConfig } from '../shared/config.js';
import { createContext } from '../shared/context.js';
import { runEntry } from '../shared/entry.js';
import { helpIfAsked } from '../shared/help.js';
import { queueNames } from '../shared/jobs/index.js';
import { requireFittingIndex } from '../shared/knowledge/vector-index.js';
import { exitOnSignal } from '../shared/lifecycle.js';
import { createLogger } from '../shared/logger.js';
import { startOperationsServer } from './operations.js';
import { startWorker } from './worker.js';

const usage = `Usage: node dist/workers/main.js [--queues ${queueNames.join(',')}]

  --queues   the queues that it takes; all of them unless told, here or by QUEUES`;

/** Entry of a worker process. */
async function main(): Promise<void> {
  helpIfAsked(usage);
  const { values } = parseArgs({ options: { queues: { type: 'string' } } });
  const config = loadConfig(undefined, values.queues === undefined ? {} : { QUEUES: values.queues });
  const logger = createLogger({ level: config.log.level, role: 'worker' });
  const queues = config.worker.queues.length > 0 ? config.worker.queues : queueNames;
  const ctx = await createContext(config, logger, 'worker');
  await requireFittingIndex(ctx.vectors, logger);
  const worker = startWorker(ctx, queues);
  exitOnSignal(logger, () => worker.stop());
  await startOperationsServer(worker.ctx, worker.lastProgressAt);
  logger.info({ queues }, 'working');
}

runEntry(main);
