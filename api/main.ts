import { loadConfig } from '../shared/config.js';
import { createContext } from '../shared/context.js';
import { runEntry } from '../shared/entry.js';
import { helpIfAsked } from '../shared/help.js';
import { requireFittingIndex } from '../shared/knowledge/vector-index.js';
import { exitOnSignal } from '../shared/lifecycle.js';
import { createLogger } from '../shared/logger.js';
import { startWeb } from './web.js';

/** Entry of a web process. */
async function main(): Promise<void> {
  helpIfAsked('Usage: node dist/api/main.js\n\nIts settings are environment variables: docs/configuration.md.');
  const config = loadConfig();
  const logger = createLogger({ level: config.log.level, role: 'web' });
  const ctx = await createContext(config, logger, 'web');
  await requireFittingIndex(ctx.vectors, logger);
  const web = await startWeb(ctx, config.web);
  exitOnSignal(logger, () => web.stop());
  logger.info({ url: web.url }, 'listening');
}

runEntry(main);
