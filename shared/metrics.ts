import { collectDefaultMetrics, Registry } from 'prom-client';
import type { TokenUsage } from './adapters/language-model/model.js';
import { makersIn } from './metric-makers.js';
import { type BacklogSize, sampledMetrics, type SocketCount } from './sampled-metrics.js';

export type { BacklogSize };

/** What a process counts and times. Recording never throws; durations are in seconds. */
export type Metrics = {
  /** @param route the template, never a path: each new label value is a time series for ever. */
  httpRequest(method: string, route: string, status: string, seconds: number): void;
  /** From being ready to run to being claimed. */
  jobWaited(kind: string, seconds: number): void;
  /** Lets what to worry about be counted from 0: of what is seen first at 1 Prometheus does not know that it rose. */
  expectJobs(kinds: readonly string[]): void;
  /** One attempt; `outcome` is one of the few words for how it ended. */
  jobRan(kind: string, outcome: string, seconds: number): void;
  /** A job was taken from a worker that went silent. */
  takeover(kind: string): void;
  /** A stopping worker gave a job back. */
  handover(kind: string): void;
  /** From the acceptance of a message to the first text of its reply; two clocks, so it may come out below 0. */
  firstDelta(seconds: number): void;
  tokens(model: string, usage: TokenUsage): void;
  /** A frame is written into the stream of a reply. */
  streamAppended(): void;
  /** Sockets and rooms are counted when somebody looks, so that the numbers cannot drift. */
  watchSockets(count: () => SocketCount): void;
  /** @param read answers in bounded time, null while Postgres is away. */
  watchBacklog(read: () => Promise<BacklogSize[] | null>): void;
  /** Everything in the text format of Prometheus. */
  expose(): Promise<{ contentType: string; body: string }>;
  close(): void;
};

/** Names of models come from users: beyond so many the rest counts as `other`. */
const maxModels = 50;

const requestBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const waitBuckets = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const runBuckets = [0.01, 0.05, 0.25, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600];
const firstDeltaBuckets = [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30, 60];

/** Makes the metrics of a process, in a registry of their own: two contexts in one process do not mix. */
export function createMetrics(role: 'web' | 'worker'): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 });
  const make = makersIn(registry);

  const requests = make.histogram('http_request_duration_seconds', 'Time until HTTP requests were answered.', {
    buckets: requestBuckets,
    labels: ['method', 'route', 'status'],
  });
  const waits = make.histogram('job_wait_seconds', 'Time of jobs from being ready to being claimed.', {
    buckets: waitBuckets,
    labels: ['kind'],
  });
  const runs = make.histogram('job_run_seconds', 'Time that attempts of jobs took.', {
    buckets: runBuckets,
    labels: ['kind'],
  });
  const firstDeltas = make.histogram('first_delta_seconds', 'Time from a message to the first text of its reply.', {
    buckets: firstDeltaBuckets,
    labels: [],
  });
  const finished = make.counter('jobs_finished_total', 'Attempts of jobs by how they ended.', ['kind', 'outcome']);
  const takeovers = make.counter('takeovers_total', 'Jobs taken from workers that went silent.', ['kind']);
  const handovers = make.counter('handovers_total', 'Jobs given back by stopping workers.', ['kind']);
  const tokens = make.counter('tokens_total', 'Tokens of the model by how they are billed.', ['model', 'type']);
  const appends = make.counter('stream_appends_total', 'Frames written into the streams of replies.', []);
  const modelLabel = limitedLabel(maxModels);
  const sampled = sampledMetrics(make);

  return {
    httpRequest: (method, route, status, seconds) => requests.observe({ method, route, status }, seconds),
    jobWaited: (kind, seconds) => waits.observe({ kind }, Math.max(seconds, 0)),
    expectJobs(kinds) {
      for (const kind of kinds) {
        finished.inc({ kind, outcome: 'failed' }, 0);
        takeovers.inc({ kind }, 0);
      }
    },
    jobRan(kind, outcome, seconds) {
      runs.observe({ kind }, seconds);
      finished.inc({ kind, outcome });
    },
    takeover: (kind) => takeovers.inc({ kind }),
    handover: (kind) => handovers.inc({ kind }),
    firstDelta: (seconds) => firstDeltas.observe(Math.max(seconds, 0)),
    tokens(name, usage) {
      const model = modelLabel(name);
      tokens.inc({ model, type: 'input' }, usage.input);
      tokens.inc({ model, type: 'output' }, usage.output);
      tokens.inc({ model, type: 'cache_read' }, usage.cacheRead);
      tokens.inc({ model, type: 'cache_write' }, usage.cacheWrite);
    },
    streamAppended: () => appends.inc(),
    watchSockets: (count) => sampled.watchSockets(count),
    watchBacklog: (read) => sampled.watchBacklog(read),
    async expose() {
      await sampled.sample();
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
    close: () => sampled.close(),
  };
}

function limitedLabel(max: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (!seen.has(value) && seen.size < max) seen.add(value);
    return seen.has(value) ? value : 'other';
  };
}
