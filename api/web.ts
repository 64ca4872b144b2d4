import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAccounts } from '../shared/accounts/accounts.js';
import { createPrincipalCache } from '../shared/accounts/principal-cache.js';
import type { Context } from '../shared/context.js';
import { createKnownClocks } from '../shared/documents/known-clocks.js';
import { createMergeTrials } from '../shared/documents/merge-trials.js';
import { createQueryEncoder } from '../shared/knowledge/query-vectors.js';
import { createOneAtATime } from '../shared/one-at-a-time.js';
import { createApp } from './app.js';
import { answerClientErrors } from './client-errors.js';
import type { WebContext } from './context.js';
import { createDocumentAppender } from './documents/appender.js';
import { watchRequests } from './finish-requests.js';
import { ignoreUpgrades } from './ignore-upgrades.js';
import { createRealtimeHub } from './realtime/hub.js';
import { createRealtime } from './realtime/server.js';

/** A web process that answers until it is told to stop. */
export type RunningWeb = {
  ctx: WebContext;
  /** Where it listens, for processes on the same machine. */
  url: string;
  stop(): Promise<void>;
};

/** Idle connections of clients and proxies are kept longer than the proxies themselves usually do (60 s). */
const keepAliveMs = 65_000;

/** Node's five minutes would cut off a file of 250 MiB below 7 Mbit/s; this is enough for one of 1.2. */
const requestLimitMs = 30 * 60_000;

/** Serves HTTP and sockets. @throws when the port is taken. */
export async function startWeb(base: Context, listen: { host: string; port: number }): Promise<RunningWeb> {
  const { config, database, logger, lifecycle } = base;
  const principals = createPrincipalCache({ database, config: config.accounts, logger });
  const stopping = new AbortController();
  const ctx: WebContext = {
    ...base,
    principals,
    encodeQuery: createQueryEncoder(base.embedder, logger),
    accounts: createAccounts(base.redis, config.accounts),
    realtime: createRealtimeHub({ ...base, principals }),
    documents: createDocumentAppender(base),
    documentClocks: createKnownClocks(database),
    mergeTrials: createMergeTrials(database),
    oneAtATime: createOneAtATime(stopping.signal),
  };
  const server = createServer({ requireHostHeader: false }, createApp(ctx));
  server.keepAliveTimeout = keepAliveMs;
  server.requestTimeout = requestLimitMs;
  answerClientErrors(server, logger);
  const realtime = createRealtime(ctx, server);
  ignoreUpgrades(server, ({ url }) => url?.startsWith('/socket.io/') ?? false);
  // After the sockets, which answer some requests before all other listeners.
  lifecycle.onClose('http server', watchRequests(server));
  lifecycle.onClose('sockets', () => realtime.close());
  lifecycle.onClose('waits between posts', () => stopping.abort());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { ctx, url: `http://127.0.0.1:${port}`, stop: () => lifecycle.close() };
}
