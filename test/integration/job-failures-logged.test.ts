import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createLogger } from '../../shared/logger.js';
import type { Metrics } from '../../shared/metrics.js';
import { eventually } from '../support/eventually.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

vi.setConfig({ testTimeout: 90_000 });

type Line = { level: number; msg: string; kind: string; code?: string; err?: object };

let lines: Line[] = [];
let system: KnowledgeSystem;
let metrics: Metrics;
beforeAll(async () => {
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line);
  const logger = createLogger({ level: 'info', role: 'test' }, { write });
  system = await startKnowledgeSystem({ workers: 0 });
  const worker = await system.startWorker({ wrap: (ctx) => ({ ...ctx, logger }) });
  ({ metrics } = worker.ctx);
});
afterAll(() => system.close());

const counted = async (kind: string, outcome: string): Promise<number> => {
  const { body } = await metrics.expose();
  const labels = `kind="${kind}",outcome="${outcome}"`;
  return Number(new RegExp(`^millrace_jobs_finished_total\\{${labels},role="worker"\\} (\\d+)$`, 'm').exec(body)?.[1]);
};

const failures = (): Line[] => lines.filter(({ msg }) => msg === 'a job has failed');

async function askFor(content: string): Promise<void> {
  const { user, conversationId } = await system.openConversation();
  await system.post(user, `/conversations/${conversationId}/messages`, { content });
}

it('a file that cannot be read is no error of the system', async () => {
  lines = [];
  const user = await system.app.registerUser({ role: 'power' });
  const { body } = await system.upload(user, { name: 'report.pdf', bytes: '%PDF-1.7 and nothing more' });
  // A process of its own reads it, which a busy machine takes long to start.
  await system.settled(user, body.entry.id);
  await eventually(() => expect(failures()).toMatchObject([{ level: 30, kind: 'ingest-version', code: 'damaged' }]));
  expect(failures()[0]).not.toHaveProperty('err');
  await eventually(async () => expect(await counted('ingest-version', 'refused')).toBe(1));
  expect(await counted('ingest-version', 'failed')).toBe(0);
});

it('a question that Claude declines is none either; a key that is refused is', async () => {
  lines = [];
  await askFor('[[stand-in: refusal]]');
  await eventually(() => expect(failures()).toMatchObject([{ level: 30, kind: 'reply-to-message', code: 'refused' }]));
  lines = [];
  await askFor('[[stand-in: error status=401 type=authentication_error]]');
  await eventually(() => expect(failures()).toMatchObject([{ level: 50, err: { code: 'authentication_error' } }]));
  await eventually(async () => expect(await counted('reply-to-message', 'failed')).toBe(1));
  expect(await counted('reply-to-message', 'refused')).toBe(1);
});
