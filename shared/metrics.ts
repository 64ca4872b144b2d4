import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { TokenUsage } from './adapters/language-model/model.js';

/** What a process counts and times. Recording never throws; durations are in seconds. */
export type Metrics = {
  /** @param route the template, never a path: each new label value is a time series for ever. */
  httpRequest(method: string, route: string, status: string, seconds: number): void;
  /** From being ready to run to being claimed. */
  jobWaited(kind: string, seconds: number): void;
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

type SocketCount = { sockets: number; rooms: number };

/** How many jobs of a queue are in a state, and how long the oldest of them has been there since its acceptance. */
export type BacklogSize = {
  queue: string;
  state: 'pending' | 'queued' | 'running';
  count: number;
  oldestSeconds: number;
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

type Makers = ReturnType<typeof makersIn>;

function makersIn(registry: Registry) {
  const registers = [registry];
  const full = (name: string): string => `millrace_${name}`;
  return {
    counter: <L extends string>(name: string, help: string, labelNames: L[]) =>
      new Counter({ name: full(name), help, labelNames, registers }),
    gauge: <L extends string>(name: string, help: string, labelNames: L[]) =>
      new Gauge({ name: full(name), help, labelNames, registers }),
    histogram: <L extends string>(
      name: string,
      help: string,
      { buckets, labels }: { buckets: number[]; labels: L[] },
    ) => new Histogram({ name: full(name), help, labelNames: labels, buckets, registers }),
  };
}

/** What is not recorded when it happens but looked up for each scrape. */
function sampledMetrics(make: Makers) {
  const sockets = make.gauge('sockets_connected', 'Sockets connected to this process.', []);
  const rooms = make.gauge('rooms_open', 'Rooms that a socket of this process is in.', []);
  const backlogLabels = ['queue', 'state'] as const;
  const jobs = make.gauge('backlog_jobs', 'Unfinished jobs; every process reports the same.', [...backlogLabels]);
  const ages = make.gauge('backlog_oldest_age_seconds', 'Age of the oldest unfinished job.', [...backlogLabels]);
  const known = make.gauge('backlog_known', '1 when Postgres answered for millrace_backlog_*, else 0.', []);
  const loopDelay = make.gauge('event_loop_delay_seconds', 'Delay of the event loop since the last scrape.', [
    'quantile',
  ]);
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();

  let countSockets = (): SocketCount => ({ sockets: 0, rooms: 0 });
  let readBacklog = (): Promise<BacklogSize[] | null> => Promise.resolve(null);

  return {
    watchSockets(count: () => SocketCount): void {
      countSockets = count;
    },
    watchBacklog(read: () => Promise<BacklogSize[] | null>): void {
      readBacklog = read;
    },
    async sample(): Promise<void> {
      const backlog = await readBacklog();
      known.set(backlog ? 1 : 0);
      // An old number would look like a backlog that stands still: none at all is right while nobody knows.
      jobs.reset();
      ages.reset();
      for (const { queue, state, count, oldestSeconds } of backlog ?? []) {
        jobs.set({ queue, state }, count);
        ages.set({ queue, state }, oldestSeconds);
      }
      const counted = countSockets();
      sockets.set(counted.sockets);
      rooms.set(counted.rooms);
      for (const quantile of [0.5, 0.99]) loopDelay.set({ quantile }, delay.percentile(quantile * 100) / 1e9);
      loopDelay.set({ quantile: 1 }, delay.max / 1e9);
      delay.reset();
    },
    close: (): void => void delay.disable(),
  };
}

function limitedLabel(max: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (!seen.has(value) && seen.size < max) seen.add(value);
    return seen.has(value) ? value : 'other';
  };
}
