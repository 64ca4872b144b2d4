import type { Context } from '../../shared/context.js';
import type { Plan, PlanBlock } from '../../shared/local/messages-api/plan.js';
import type { ReceivedRequest } from '../../shared/local/messages-api/server.js';
import { roundsOf } from '../../shared/local/messages-api/wire.js';
import type { MessageView } from '../../shared/realtime/events.js';
import type { RunningWorker } from '../../workers/worker.js';
import { expect } from 'vitest';
import type { TestUser } from './app.js';
import { eventually } from './eventually.js';
import { faultsOf, hearReplies } from './heard.js';
import { type KnowledgeSystem, startKnowledgeSystem } from './knowledge.js';

type Script = (request: ReceivedRequest) => Plan | undefined | Promise<Plan | undefined>;

/** A knowledge system in which Claude looks things up, with hands on what happens in between. */
export type ToolSystem = {
  system: KnowledgeSystem;
  admin: TestUser;
  power: TestUser;
  regular: TestUser;
  /** In place of the stand-in's own answers. */
  script: Script;
  /** Before each query of the vector store by a worker. */
  beforeSearch: () => Promise<void>;
  /** Of the power user. */
  write(content: string): Promise<string>;
  openConversation(owner: TestUser, members?: TestUser[]): Promise<string>;
  /** Posts a message; resolves to the id of its reply. */
  post(asker: TestUser, conversationId: string, content: string): Promise<string>;
  /** The ended reply; what its readers heard of it was without a fault, and is what was stored. */
  finished(asker: TestUser, id: string): Promise<MessageView>;
  ask(asker: TestUser, conversationId: string, content: string): Promise<MessageView>;
  /** Requests of the answers to the message that has this mark. */
  requestsAbout(mark: string): ReceivedRequest['body'][];
  /** Stops the worker and starts another one. */
  replaceWorker(): Promise<void>;
  reset(): void;
  close(): Promise<void>;
};

const nothingBefore = async (): Promise<void> => {};
const ownAnswers: Script = () => undefined;

export async function startToolSystem(): Promise<ToolSystem> {
  const system = await startKnowledgeSystem({
    workers: 0,
    retryBaseMs: 20,
    modelApi: { rate: 0, minimumCacheTokens: 1, script: (request) => tools.script(request) },
  });
  const heard = await hearReplies(system.redisUrl);
  const { app } = system;

  const wrap = (ctx: Context): Context => ({
    ...ctx,
    vectors: {
      ...ctx.vectors,
      async search(query) {
        await tools.beforeSearch();
        return ctx.vectors.search(query);
      },
    },
  });
  let worker: RunningWorker = await system.startWorker({ wrap });

  const tools: ToolSystem = {
    system,
    admin: await app.registerUser({ role: 'admin' }),
    power: await app.registerUser({ role: 'power' }),
    regular: await app.registerUser({ role: 'regular' }),
    script: ownAnswers,
    beforeSearch: nothingBefore,
    async write(content) {
      const { id } = await system.write(tools.power, { content });
      await system.settled(tools.power, id);
      return id;
    },
    async openConversation(owner, members = []) {
      const { body } = await system.post(owner, '/conversations', { title: 'Talk' });
      for (const { user } of members) {
        const path = `/conversations/${body.id}/members/${user.id}`;
        await app.request('PUT', path, { token: owner.accessToken, body: { history: 'all' } });
      }
      return body.id;
    },
    async post(asker, conversationId, content) {
      const { body } = await system.post(asker, `/conversations/${conversationId}/messages`, { content, reply: true });
      return body.reply.id;
    },
    async finished(asker, id) {
      const reply = await system.ended(asker, id);
      await eventually(() => {
        const events = heard.of(id);
        expect(faultsOf(events)).toEqual([]);
        const own = events.filter(({ attempt }) => attempt === reply.attempt);
        expect(own.map(({ text }) => text).join('')).toBe(reply.content);
      });
      return reply;
    },
    ask: async (asker, conversationId, content) =>
      tools.finished(asker, await tools.post(asker, conversationId, content)),
    requestsAbout: (mark) =>
      system.modelApi.requests
        .map(({ body }) => body)
        .filter((body) => JSON.stringify(roundsOf(body).spoken).includes(mark)),
    async replaceWorker() {
      await worker.stop();
      worker = await system.startWorker({ wrap });
    },
    reset() {
      tools.script = ownAnswers;
      tools.beforeSearch = nothingBefore;
    },
    async close() {
      heard.close();
      await system.close();
    },
  };
  return tools;
}

/** An answer that stops to look something up. */
export const callSearch = (...queries: unknown[]): Plan => ({
  stopReason: 'tool_use',
  blocks: [
    { type: 'text', tokens: ['Let me', ' look.'] },
    ...queries.map((query): PlanBlock => ({ type: 'tool_use', name: 'search_knowledge', input: { query } })),
  ],
});

/** Asks for these searches first, then answers in the stand-in's own words: what is asked for is not in the question. */
export const callOnce =
  (mark: string, ...queries: unknown[]): Script =>
  ({ body }) => {
    const { spoken, rounds } = roundsOf(body);
    return JSON.stringify(spoken).includes(mark) && rounds === 0 ? callSearch(...queries) : undefined;
  };
