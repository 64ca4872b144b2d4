import { loadConfig } from '../shared/config.js';
import { createContext } from '../shared/context.js';
import { runEntry } from '../shared/entry.js';
import { helpIfAsked } from '../shared/help.js';
import { type Listener, reindex } from '../shared/knowledge/reindex.js';
import { exitOnSignal } from '../shared/lifecycle.js';
import { createLogger } from '../shared/logger.js';

/**
 * Builds a new collection from Postgres and puts it into service; `npm run reindex` runs it. Everything else may run
 * meanwhile.
 */
async function main(): Promise<void> {
  helpIfAsked('Usage: node dist/workers/reindex.js\n\nBuilds the vector index again from Postgres.');
  const config = loadConfig();
  const logger = createLogger({ level: config.log.level, role: 'reindex' });
  // One connection holds the lock that keeps other re-indexes out.
  const database = { ...config.database, maxPoolSize: Math.max(2, config.database.maxPoolSize) };
  const ctx = await createContext({ ...config, database }, logger, 'worker');
  const stop = new AbortController();
  exitOnSignal(logger, async () => stop.abort(new Error('stopped')));
  let shown = -1;
  const listener: Listener = {
    progress(done, total) {
      const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
      if (percent > shown) console.log(`${percent} % of ${total} versions and documents`);
      shown = Math.max(shown, percent);
    },
    waits: (error, waitMs) => console.log(`${error.message} Trying again in ${Math.ceil(waitMs / 1_000)} s.`),
  };
  try {
    const { collection, replaced, points, embedded, left } = await reindex(ctx, listener, stop.signal);
    console.log(`${collection} is in service with ${points} points; ${embedded} texts were embedded.`);
    for (const { what, id, message } of left) console.log(`The ${what} ${id} was left out: ${message}`);
    if (replaced !== null && !ctx.vectors.fits(replaced)) {
      console.log(`Processes of the earlier model go on with ${replaced}: start them again with this one.`);
    }
  } finally {
    await ctx.lifecycle.close();
  }
}

runEntry(main);
