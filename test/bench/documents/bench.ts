import type { Bench } from '../bench.js';
import type {
  LatencyOrder,
  LatencyReport,
  ReplayOrder,
  ReplayReport,
  TraceChoice,
} from '../processes/document-editors.js';
import type { FloodOrder, FloodReport } from '../processes/document-flood.js';
import type { Figure, Target } from '../report.js';
import { waitForQuiet } from '../stage/quiet.js';
import type { BenchProcess } from '../stage/process.js';
import type { Stage, Web } from '../stage/stage.js';
import { median, percentile } from '../statistics.js';
import { compactByJob, growthByOpening, storeTrace, timeToOpen } from './large-document.js';
import { openDocument, seatPeople, storedText } from './setting.js';
import { makeTrace, readTrace } from './trace.js';

const crowd = 20;
const rounds = 3;
const floodMs = 5_000;
const floodWindow = 16;
/** Of a trace that is made, when none is given. */
const madeLength = 137_000;

/**
 * Documents on two web processes: a trace is typed by 1, 4 and 20 editors, everybody has the same in the end; how
 * fast the others see what one types; and how many updates are stored a second, against a bare Socket.IO server.
 */
export const documents: Bench = {
  about: 'documents edited together; --trace FILE replays a recorded editing trace',
  async run(stage, { trace: file }) {
    const choice: TraceChoice = { file: file ?? null, length: madeLength };
    const trace = file === undefined ? makeTrace(madeLength) : readTrace(file);
    const webs = [await stage.startWeb(), await stage.startWeb()];
    const worker = await stage.startWorker();
    const editors = await stage.startHelper('document-editors');
    const seats = await seatPeople(webs, crowd);
    const figures: Figure[] = [];
    const targets: Target[] = [];

    let wrong = 0;
    for (const count of [1, 4, crowd]) {
      const documentId = await openDocument(seats);
      const order: ReplayOrder = {
        seats: seats.slice(0, count),
        documentId,
        trace: choice,
        turn: count === 1 ? 20 : 500,
      };
      const { ms, texts, expected } = await editors.ask<ReplayReport>('replay', order);
      const stored = await storedText(seats[0] as (typeof seats)[number], documentId);
      const differing = [...texts, stored].filter((text) => text !== expected).length;
      wrong += differing;
      stage.say(
        `${trace.name} by ${count}: ${trace.patches.length} edits in ${Math.round(ms)} ms, ${differing} texts differ`,
      );
      figures.push({ name: `replay by ${count}`, value: trace.patches.length / (ms / 1000), unit: 'edits/s' });
    }
    targets.push({ name: 'texts that differ', value: wrong, unit: '', relation: '≤', limit: 0 });

    // The texts that were just typed are compacted and indexed first.
    await waitForQuiet(stage.say);
    const latency = await editors.ask<LatencyReport>('latency', {
      seats,
      documentId: await openDocument(seats),
      perSecond: 10,
      ms: 15_000,
    } satisfies LatencyOrder);
    if (!latency.equal) throw new Error('The replicas of the editors differ.');
    targets.push({ name: 'p50', value: percentile(latency.latencies, 50), unit: 'ms', relation: '≤', limit: 10 });
    targets.push({ name: 'p95', value: percentile(latency.latencies, 95), unit: 'ms', relation: '≤', limit: 40 });

    const [seat] = seats as [(typeof seats)[number]];
    const large = await openDocument([seat]);
    const edits = await storeTrace(stage, large, seat.userId, trace);
    figures.push({ name: 'updates of the large document', value: edits, unit: '' });
    figures.push({ name: 'opened before compaction', value: await timeToOpen(editors, seat, large), unit: 'ms' });
    targets.push({
      name: 'compaction',
      value: await compactByJob(stage, seat, large),
      unit: 'ms',
      relation: '<',
      limit: 5_000,
    });
    targets.push({
      name: 'opened',
      value: await timeToOpen(editors, seat, large),
      unit: 'ms',
      relation: '<',
      limit: 300,
    });
    const growth = await growthByOpening(editors, webs[0] as Web, seat, 500);
    targets.push({ name: '500 open documents', value: growth, unit: 'MB', relation: '<', limit: 100 });
    await editors.end('SIGTERM');

    const { ours, both, bare } = await throughput(stage, webs, seats, choice);
    await worker.end('SIGTERM');
    figures.push({ name: 'stored by one web process', value: ours, unit: 'updates/s' });
    figures.push({ name: 'stored by two web processes', value: both, unit: 'updates/s' });
    figures.push({ name: 'stored by a bare server', value: bare, unit: 'updates/s' });
    targets.push({ name: 'throughput', value: both / bare, unit: 'of the bare server', relation: '≥', limit: 0.5 });
    return { figures, targets };
  },
};

type Seats = Awaited<ReturnType<typeof seatPeople>>;

/** In turn, so that a machine that is disturbed disturbs all. */
async function throughput(stage: Stage, webs: Web[], seats: Seats, trace: TraceChoice) {
  await stage.sql.query(
    'CREATE TABLE bare_updates (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, document_id uuid NOT NULL, update bytea NOT NULL)',
  );
  const server = await stage.startHelper('bare-document-server', {
    DATABASE_URL: stage.databaseUrl,
    MAX_POOL_SIZE: '20',
  });
  const flood = await stage.startHelper('document-flood');
  const at = (url: string) => seats.map((seat) => ({ ...seat, url }));
  const found = { ours: [] as number[], both: [] as number[], bare: [] as number[] };
  for (let round = 1; round <= rounds; round += 1) {
    found.bare.push(await run(flood, at(String(server.ready.url)), await openDocument(seats), trace, false));
    found.ours.push(await run(flood, at(webs[0]?.url ?? ''), await openDocument(seats), trace, true));
    found.both.push(await run(flood, seats, await openDocument(seats), trace, true));
    const [ours, both, bare] = [found.ours, found.both, found.bare].map((list) => Math.round(list.at(-1) ?? NaN));
    stage.say(`round ${round} of ${rounds}: ${ours} by one, ${both} by two, against ${bare} updates a second`);
  }
  return { ours: median(found.ours), both: median(found.both), bare: median(found.bare) };
}

async function run(
  flood: BenchProcess,
  seats: Seats,
  documentId: string,
  trace: TraceChoice,
  join: boolean,
): Promise<number> {
  const order: FloodOrder = { seats, documentId, trace, window: floodWindow, ms: floodMs, join };
  const report = await flood.ask<FloodReport>('flood', order);
  if (report.refused.length > 0) throw new Error(`Updates were refused: ${report.refused.join(', ')}`);
  return report.acknowledged / (report.elapsedMs / 1000);
}
