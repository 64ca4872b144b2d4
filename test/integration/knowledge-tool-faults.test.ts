import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { VectorStoreError } from '../../shared/adapters/vector-store/vector-store.js';
import type { ReceivedRequest } from '../../shared/local/messages-api/server.js';
import { blocksOf, roundsOf } from '../../shared/local/messages-api/wire.js';
import { eventually } from '../support/eventually.js';
import { startToolSystem, type ToolSystem } from '../support/tool-system.js';

vi.setConfig({ testTimeout: 60_000 });

let tools: ToolSystem;
beforeAll(async () => {
  tools = await startToolSystem();
});
beforeEach(() => tools.reset());
afterAll(() => tools.close());

describe('when something goes wrong in between', () => {
  it('is told that the store cannot be searched, and says so', async () => {
    tools.beforeSearch = () =>
      Promise.reject(new VectorStoreError('vector_store_unavailable', 'away', { transient: true }));
    await tools.write('The quokka ledger is blue.');
    const reply = await tools.ask(
      tools.power,
      await tools.openConversation(tools.power),
      '[[stand-in: tool id=away]] quokka ledger',
    );
    expect(reply).toMatchObject({ state: 'done', citations: [], metadata: { knowledge: 'unavailable' } });
    expect(reply.metadata?.searches).toMatchObject([{ outcome: 'unavailable', passages: 0 }]);
    expect(reply.content).toContain('could not be searched');
    const [first, second] = tools.requestsAbout('id=away');
    expect(blocksOf(first?.system).at(-1)?.text).toContain('could not be searched');
    expect(roundsOf(second as ReceivedRequest['body']).answers).toMatchObject([
      { type: 'tool_result', is_error: true },
    ]);
  });

  it.each([
    ['overloaded', 'overloaded times=1 step=2'],
    ['too many requests', 'rate-limit retry-after=0 times=2 step=2'],
    ['overloaded in mid-stream', 'overloaded-in-stream after=3 times=1 step=2'],
    ['a connection that breaks', 'cut after=3 times=1 step=3'],
  ])('%s: begins again, and nothing is shown twice', async (_name, failure) => {
    await tools.write('The tarsier drum has nine strings.');
    const conversation = await tools.openConversation(tools.power);
    const reply = await tools.ask(
      tools.power,
      conversation,
      `[[stand-in: tool calls=2 ${failure}]] tarsier drum strings`,
    );
    expect(reply).toMatchObject({ state: 'done', attempt: failure.includes('times=2') ? 3 : 2 });
    expect(reply.content.match(/I am the stand-in/g)).toHaveLength(1);
    const { rows } = await tools.system.app.ctx.database.query('SELECT attempt FROM usage WHERE message_id = $1', [
      reply.id,
    ]);
    expect(rows).toHaveLength(reply.attempt);
  });

  /** A reply whose second search, the one that Claude asked for, hangs. */
  async function hangInSearch(mark: string): Promise<{ id: string; release: () => void }> {
    await tools.write('The numbat horn is made of glass.');
    let searches = 0;
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    tools.beforeSearch = async () => {
      searches += 1;
      if (searches === 2) await released;
    };
    const id = await tools.post(
      tools.power,
      await tools.openConversation(tools.power),
      `[[stand-in: tool id=${mark}]] numbat horn glass`,
    );
    await eventually(() => expect(searches).toBe(2));
    return { id, release };
  }

  it('cancelled while it searches: ends at once, and what was said is kept', async () => {
    const { id, release } = await hangInSearch('cancel');
    const before = performance.now();
    await tools.system.post(tools.power, `/messages/${id}/cancel`);
    const reply = await tools.finished(tools.power, id);
    expect(performance.now() - before).toBeLessThan(4_000);
    expect(reply).toMatchObject({ state: 'cancelled', content: 'I’ll use search_knowledge.' });
    release();
  });

  it('handed on while it searches: another worker writes the whole reply', async () => {
    const { id, release } = await hangInSearch('handed-on');
    await tools.replaceWorker();
    const reply = await tools.finished(tools.power, id);
    release();
    expect(reply).toMatchObject({ state: 'done', attempt: 2 });
    expect(reply.content.match(/I’ll use search_knowledge/g)).toHaveLength(1);
  });
});
