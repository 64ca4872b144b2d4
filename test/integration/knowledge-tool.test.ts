import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PlanBlock } from '../../shared/local/messages-api/plan.js';
import type { ReceivedRequest } from '../../shared/local/messages-api/server.js';
import { countTokens } from '../../shared/local/messages-api/usage.js';
import { blocksOf, roundsOf } from '../../shared/local/messages-api/wire.js';
import { eventually } from '../support/eventually.js';
import { callOnce, callSearch, startToolSystem, type ToolSystem } from '../support/tool-system.js';

vi.setConfig({ testTimeout: 60_000 });

let tools: ToolSystem;
beforeAll(async () => {
  tools = await startToolSystem();
});
beforeEach(() => tools.reset());
afterAll(() => tools.close());

describe('a search that Claude makes by itself', () => {
  it('goes on in the same reply, and cites what it found', async () => {
    await tools.write('The marmot archive is open on Thursdays.');
    await tools.write('The heron ferry leaves from the seventh pier.');
    const conversation = await tools.openConversation(tools.power);
    tools.script = callOnce('marmot', 'heron ferry pier');
    const reply = await tools.ask(tools.power, conversation, 'When is the marmot archive open?');
    expect(reply).toMatchObject({
      state: 'done',
      attempt: 1,
      metadata: { knowledge: 'found', stopReason: 'end_turn' },
    });
    expect(reply.metadata?.searches).toEqual([{ query: 'heron ferry pier', outcome: 'found', passages: 1 }]);
    expect(reply.content).toMatch(/^Let me look\.\n\nI am the stand-in/);
    // The citation counts the passage of the first search, which was ahead of the question.
    expect(reply.citations.map(({ quote }) => quote)).toEqual(['The heron ferry leaves from the seventh pier.']);
    const { textStart, textEnd } = reply.citations[0] ?? { textStart: 0, textEnd: 0 };
    expect(reply.content.slice(textStart, textEnd)).toBe('The heron ferry leaves from the seventh pier.');
  });

  it('counts citations over several rounds and several calls in one', async () => {
    for (const [place, gem] of [
      ['attic', 'opal'],
      ['cellar', 'beryl'],
      ['garden', 'topaz'],
      ['stable', 'garnet'],
    ]) {
      await tools.write(`In the ${place} lies the ${gem} of gemhouse.`);
    }
    tools.script = ({ body }) => {
      const { spoken, rounds } = roundsOf(body);
      if (!JSON.stringify(spoken).includes('gemtest')) return undefined;
      if (rounds === 0) return callSearch('beryl cellar', 'topaz garden');
      if (rounds === 1) return callSearch('garnet stable');
      const all = body.messages.flatMap(({ content }) =>
        blocksOf(content).flatMap((block) => (block.type === 'tool_result' ? blocksOf(block.content) : [block])),
      );
      const results = all.filter(({ type }) => type === 'search_result');
      const blocks = results.map((result, index): PlanBlock => {
        const cited = blocksOf(result.content)[0]?.text ?? '';
        const citation = { search_result_index: index, source: String(result.source), title: result.title ?? '' };
        return {
          type: 'text',
          tokens: [`(${cited})`],
          citations: [
            {
              type: 'search_result_location',
              cited_text: cited,
              start_block_index: 0,
              end_block_index: 1,
              ...citation,
            },
          ],
        };
      });
      return { blocks };
    };
    const conversation = await tools.openConversation(tools.power);
    const reply = await tools.ask(tools.power, conversation, 'gemtest: opal attic?');
    expect(reply.content).toMatch(/^Let me look\.\n\nLet me look\.\n\n\(In the/);
    const gems = reply.citations.map(({ quote }) => /opal|beryl|topaz|garnet/.exec(quote)?.[0]);
    expect(new Set(gems)).toEqual(new Set(['opal', 'beryl', 'topaz', 'garnet']));
    for (const { quote, textStart, textEnd } of reply.citations) {
      expect(reply.content.slice(textStart, textEnd)).toBe(`(${quote})`);
    }
    expect(tools.requestsAbout('gemtest')).toHaveLength(3);
  });

  it('comes to an end, its usage is the sum, and the prefix stays the same', async () => {
    await tools.write('The ibex lantern burns green oil.');
    const conversation = await tools.openConversation(tools.power);
    await tools.ask(tools.power, conversation, 'Hello there');
    const reply = await tools.ask(tools.power, conversation, '[[stand-in: tool calls=99]] ibex lantern oil');
    expect(reply.state).toBe('done');
    const requests = tools.requestsAbout('calls=99');
    expect(requests.map(({ tool_choice }) => tool_choice?.type)).toEqual(['auto', 'auto', 'auto', 'none']);
    const heads = tools
      .requestsAbout('Hello there')
      .concat(requests)
      .map(({ tools, system: words }) => JSON.stringify([tools, words]));
    expect(new Set(heads).size).toBe(1);
    const { rows } = await tools.system.app.ctx.database.query(
      `SELECT input_tokens + cache_read_tokens + cache_write_tokens AS input, output_tokens AS output,
         cache_read_tokens AS read FROM usage WHERE message_id = $1`,
      [reply.id],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.input).toBe(requests.reduce((sum, request) => sum + countTokens(request), 0));
    // Each of the four requests began with what the first reply of the conversation had left in the cache.
    const [head] = tools.requestsAbout('Hello there');
    expect(rows[0]?.read).toBeGreaterThanOrEqual(
      4 * countTokens({ ...(head as ReceivedRequest['body']), messages: [] }),
    );
    // A passage is shown once, however often it is found.
    const results = JSON.stringify(requests.at(-1)).match(/"type":"search_result"/g);
    expect(results).toHaveLength(1);
  });

  it('answers what it cannot do with an error, and goes on', async () => {
    const calls = callSearch('', 7);
    tools.script = ({ body }) =>
      callOnce('wrongcall')({ body, headers: {}, n: 0 }) && {
        ...calls,
        blocks: [...(calls.blocks ?? []), { type: 'tool_use', name: 'rm', input: {} }],
      };
    const reply = await tools.ask(tools.power, await tools.openConversation(tools.power), 'wrongcall');
    expect(reply.state).toBe('done');
    expect(
      roundsOf(tools.requestsAbout('wrongcall')[1] as ReceivedRequest['body']).answers.map((answer) => answer.is_error),
    ).toEqual([true, true, true]);
  });
});

it('is not offered where a conversation does not look things up', async () => {
  const body = { title: 'Talk', knowledge: 'off' };
  const { body: conversation } = await tools.system.post(tools.power, '/conversations', body);
  await tools.ask(tools.power, conversation.id, 'offtest');
  expect(tools.requestsAbout('offtest').map((request) => request.tools)).toEqual([undefined]);
});

describe('who may read', () => {
  it('is asked for every search of a shared conversation', async () => {
    const id = await tools.write('The civet cipher is forty-two.');
    const shared = await tools.openConversation(tools.power, [tools.regular]);
    const hidden = await tools.ask(tools.power, shared, '[[stand-in: tool]] civet cipher');
    expect(hidden.content).not.toContain('forty-two');
    expect(hidden).toMatchObject({ citations: [], metadata: { knowledge: 'nothing-found' } });
    expect(hidden.metadata?.searches).toMatchObject([{ outcome: 'nothing-found', passages: 0 }]);
    await tools.system.post(tools.admin, `/knowledge/${id}/approve`);
    await tools.system.idle();
    tools.script = callOnce('vivarium', 'civet cipher');
    const shown = await tools.ask(tools.power, shared, 'vivarium?');
    expect(shown.metadata?.searches).toMatchObject([{ outcome: 'found', passages: 1 }]);
    expect(shown.citations).toHaveLength(1);
  });

  it('is asked again when the reply is saved, also for what Claude has looked up', async () => {
    const id = await tools.write('The dugong treaty was signed in silence.');
    await tools.system.post(tools.admin, `/knowledge/${id}/approve`);
    await tools.system.idle();
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    let held = false;
    tools.script = ({ body }) => {
      const { spoken, rounds } = roundsOf(body);
      if (!JSON.stringify(spoken).includes('treatytest')) return undefined;
      if (rounds === 0) return callSearch('dugong treaty');
      if (!JSON.stringify(body).includes('signed in silence'))
        return { blocks: [{ type: 'text', tokens: ['Nothing.'] }] };
      held = true;
      return {
        blocks: [{ type: 'text', tokens: ['It was', ' signed', ' in silence.'] }],
        gate: { after: 1, until: released },
      };
    };
    const shared = await tools.openConversation(tools.power, [tools.regular]);
    const replyId = await tools.post(tools.power, shared, 'treatytest');
    await eventually(() => expect(held).toBe(true));
    await tools.system.post(tools.admin, `/knowledge/${id}/reject`, { reason: 'Wrong' });
    release();
    const reply = await tools.finished(tools.power, replyId);
    expect(reply).toMatchObject({ content: 'Let me look.\n\nNothing.', citations: [] });
    expect(reply.attempt).toBeGreaterThan(1);
  });
});
