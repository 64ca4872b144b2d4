import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { MessageView } from '../../shared/realtime/events.js';
import { eventually } from '../support/eventually.js';
import type { TestUser } from '../support/app.js';
import { makeDocument, share } from '../support/documents.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

vi.setConfig({ testTimeout: 60_000 });

let system: KnowledgeSystem;
let ada: TestUser;
let ben: TestUser;
let guest: TestUser;

beforeAll(async () => {
  system = await startKnowledgeSystem();
  [ada, ben, guest] = await Promise.all([
    system.app.registerUser(),
    system.app.registerUser(),
    system.app.registerUser({ role: 'guest' }),
  ]);
});
afterAll(() => system.close());

const call = (user: TestUser, method: string, path: string, body?: object) =>
  system.app.request(method, path, { token: user.accessToken, ...(body ? { body } : {}) });

async function write(content: string, title = 'Vault'): Promise<string> {
  const id = await makeDocument(system.app, ada, { title, content });
  await system.idle();
  return id;
}

async function openConversation(members: TestUser[] = []): Promise<string> {
  const { body } = await call(ada, 'POST', '/conversations', { title: 'Talk' });
  for (const { user } of members) {
    await call(ada, 'PUT', `/conversations/${body.id}/members/${user.id}`, { history: 'all' });
  }
  return body.id;
}

async function ask(conversationId: string, content: string): Promise<MessageView> {
  const { body } = await call(ada, 'POST', `/conversations/${conversationId}/messages`, { content, reply: true });
  return system.ended(ada, body.reply.id);
}

const read = async (reader: TestUser, id: string): Promise<MessageView> =>
  (await call(reader, 'GET', `/messages/${id}`)).body;

describe('a reply', () => {
  it('cites the document that it was made from, also after that was edited', async () => {
    const content = '# Keys\n\nThe okapivault opens with the seventh brass key.\n';
    const id = await write(content);
    const reply = await ask(await openConversation(), 'How does the okapivault open?');
    expect(reply).toMatchObject({ state: 'done', metadata: { knowledge: 'found' } });
    const [citation] = reply.citations;
    expect(citation).toMatchObject({ kind: 'document', documentId: id, title: 'Vault', headingPath: ['Keys'], seq: 1 });
    expect(content.slice(citation?.charStart, citation?.charEnd)).toBe(citation?.quote);
    expect(reply.content.slice(citation?.textStart, citation?.textEnd)).toContain('okapivault');

    const { body } = await call(ada, 'GET', `/documents/${id}`);
    await call(ada, 'PATCH', `/documents/${id}`, { content: 'Nothing any more.', base: body.base });
    await system.idle();
    expect(await system.search(ada, 'okapivault')).toEqual([]);
    expect((await read(ada, reply.id)).citations).toEqual(reply.citations);

    expect((await call(ada, 'DELETE', `/documents/${id}`)).status).toBe(204);
    expect((await read(ada, reply.id)).citations).toEqual([]);
  });

  it('uses what every member may read, guests included, and shows its citations to those who may', async () => {
    const id = await write('The tapirfund pays on the ninth of June.');
    const conversation = await openConversation([ben, guest]);
    const before = await ask(conversation, 'When does the tapirfund pay?');
    expect(before).toMatchObject({ citations: [], metadata: { knowledge: 'nothing-found' } });
    expect(before.content).not.toContain('ninth');

    await share(system.app, ada, id, ben, 'view');
    await system.idle();
    expect((await ask(conversation, 'When does the tapirfund pay?')).citations).toEqual([]);
    await share(system.app, ada, id, guest, 'view');
    await system.idle();
    const shared = await ask(conversation, 'When does the tapirfund pay?');
    expect(shared.citations).toHaveLength(1);
    for (const reader of [ben, guest]) expect((await read(reader, shared.id)).citations).toHaveLength(1);

    await call(ada, 'DELETE', `/documents/${id}/access/${ben.user.id}`);
    expect((await read(ben, shared.id)).citations).toEqual([]);
    expect((await read(guest, shared.id)).citations).toHaveLength(1);
    const listed = await call(ben, 'GET', `/conversations/${conversation}/messages`);
    expect(listed.body.items.flatMap((item: MessageView) => item.citations)).toEqual([]);
    const after = await ask(conversation, 'When does the tapirfund pay?');
    expect(after).toMatchObject({ citations: [], metadata: { knowledge: 'nothing-found' } });
    expect(after.content).not.toContain('ninth');
  });

  it('begins again at once when a member loses access to a document while it is written', async () => {
    const id = await write('The lemurledger names the eleven debtors.');
    await share(system.app, ada, id, ben, 'view');
    await system.idle();
    const conversation = await openConversation([ben]);
    const asked = system.modelApi.counts.total;
    const { body } = await call(ada, 'POST', `/conversations/${conversation}/messages`, {
      content: '[[stand-in: hang after=2]] What does the lemurledger name?',
      reply: true,
    });
    const shown = () => system.modelApi.requests.filter(({ n }) => n > asked);
    // The search is over, and the model writes.
    await eventually(() => expect(shown()).toHaveLength(1), { interval: 5, timeout: 10_000 });
    expect(JSON.stringify(shown()[0]?.body)).toContain('eleven');
    await call(ada, 'DELETE', `/documents/${id}/access/${ben.user.id}`);
    // What it says from here on is not drawn from it.
    await eventually(() => expect(shown()).toHaveLength(2), { interval: 5, timeout: 10_000 });
    expect(JSON.stringify(shown()[1]?.body)).not.toContain('eleven');
    await call(ada, 'POST', `/messages/${body.reply.id}/cancel`);
    expect(await system.ended(ada, body.reply.id)).toMatchObject({ state: 'cancelled', citations: [], attempt: 2 });
  });
});
