import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MessageView } from '../../shared/realtime/events.js';
import type { TestUser } from '../support/app.js';
import { connectRaw } from '../support/sockets.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

let system: KnowledgeSystem;
let admin: TestUser;
let power: TestUser;
let regular: TestUser;

beforeAll(async () => {
  system = await startKnowledgeSystem();
  admin = await system.app.registerUser({ role: 'admin' });
  power = await system.app.registerUser({ role: 'power' });
  regular = await system.app.registerUser({ role: 'regular' });
});
afterAll(() => system.close());

const sentence = 'The okapi vault opens with the seventh brass key.';

async function openConversation(owner: TestUser, members: TestUser[] = [], body: object = {}): Promise<string> {
  const { body: conversation } = await system.post(owner, '/conversations', { title: 'Talk', ...body });
  for (const { user } of members) {
    const path = `/conversations/${conversation.id}/members/${user.id}`;
    await system.app.request('PUT', path, { token: owner.accessToken, body: { history: 'all' } });
  }
  return conversation.id;
}

async function ask(asker: TestUser, conversationId: string, content: string): Promise<MessageView> {
  const { body } = await system.post(asker, `/conversations/${conversationId}/messages`, { content, reply: true });
  return system.ended(asker, body.reply.id);
}

const read = async (reader: TestUser, id: string): Promise<MessageView> =>
  (await system.app.request('GET', `/messages/${id}`, { token: reader.accessToken })).body;

describe('a reply', () => {
  it('cites the passage that it was made from, and each reader sees what they may', async () => {
    const { id } = await system.write(power, { title: 'Vault', content: `# Keys\n\n${sentence} Nobody else has it.` });
    await system.settled(power, id);
    const own = await openConversation(power);
    const reply = await ask(power, own, 'How does the okapi vault open?');
    expect(reply).toMatchObject({ state: 'done', metadata: { knowledge: 'found' } });
    expect(reply.citations[0]).toMatchObject({ entryId: id, title: 'Vault', version: 1, headingPath: ['Keys'] });
    const { quote, textStart, textEnd } = reply.citations[0] ?? { quote: '', textStart: 0, textEnd: 0 };
    expect(quote).toContain(sentence);
    expect(reply.content.slice(textStart, textEnd)).toContain('okapi vault');

    const shared = await openConversation(power, [regular]);
    const before = await ask(power, shared, 'How does the okapi vault open?');
    expect(before).toMatchObject({ citations: [], metadata: { knowledge: 'nothing-found' } });
    expect(before.content).not.toContain('brass key');

    await system.post(admin, `/knowledge/${id}/approve`);
    await system.idle();
    const after = await ask(power, shared, 'How does the okapi vault open?');
    expect(after.citations).toHaveLength(1);
    expect((await read(regular, after.id)).citations).toHaveLength(1);

    await system.post(admin, `/knowledge/${id}/reject`, { reason: 'Wrong' });
    expect((await read(regular, after.id)).citations).toEqual([]);
    expect((await read(power, after.id)).citations).toHaveLength(1);
    const listed = await system.app.request('GET', `/conversations/${shared}/messages`, { token: regular.accessToken });
    expect(JSON.stringify(listed.body.items.map((item: MessageView) => item.citations))).not.toContain('okapi');

    await system.app.request('DELETE', `/knowledge/${id}`, { token: power.accessToken });
    await system.idle();
    expect((await read(power, after.id)).citations).toEqual([]);
  });

  it('does not look anything up where that is off, and says nothing was found where nothing is', async () => {
    const { id } = await system.write(power, { content: 'The tapirledger lists twelve debts.' });
    await system.settled(power, id);
    const off = await openConversation(power, [], { knowledge: 'off' });
    const silent = await ask(power, off, 'What does the tapirledger list?');
    expect(silent.citations).toEqual([]);
    expect(silent.metadata).not.toHaveProperty('knowledge');
    const on = await openConversation(power);
    const none = await ask(power, on, 'zyzzyva quux');
    expect(none).toMatchObject({ citations: [], metadata: { knowledge: 'nothing-found' } });
    expect(none.content).toContain('nothing relevant was found');
  });

  it('is not given what has only a word in common with the question', async () => {
    const { id } = await system.write(power, { content: 'The pangolin desk lists all debts of the orchestra.' });
    await system.settled(power, id);
    const conversation = await openConversation(power);
    const none = await ask(power, conversation, 'Does the xylophone of quartz or the zebra list anything?');
    expect(none).toMatchObject({ citations: [], metadata: { knowledge: 'nothing-found' } });
    expect(none.content).not.toContain('pangolin');
    const some = await ask(power, conversation, 'What does the pangolin desk list?');
    expect(some.citations.map(({ entryId }) => entryId)).toEqual([id]);
  });

  it('keeps its citations when it is sent again, cancelled too late, or superseded', async () => {
    const { id } = await system.write(power, { content: 'The axolotl tank is cleaned on Fridays.' });
    await system.settled(power, id);
    await system.post(admin, `/knowledge/${id}/approve`);
    await system.idle();
    const shared = await openConversation(power, [regular]);
    const message = { content: 'When is the axolotl tank cleaned?', reply: true, clientId: 'once' };
    const posted = await system.post(power, `/conversations/${shared}/messages`, message);
    await system.ended(power, posted.body.reply.id);
    const again = await system.post(power, `/conversations/${shared}/messages`, message);
    expect(again.body.reply.citations).toHaveLength(1);
    const cancelled = await system.post(regular, `/messages/${posted.body.reply.id}/cancel`);
    expect(cancelled.body.citations).toHaveLength(1);

    const socket = await connectRaw(system.app.url, regular.accessToken);
    await socket.event('session');
    await socket.ask('conversation:join', { conversationId: shared });
    await system.post(power, `/messages/${posted.body.reply.id}/regenerate`);
    const { message: superseded } = await socket.event('message:updated');
    expect(superseded).toMatchObject({ id: posted.body.reply.id, supersededBy: expect.any(String) });
    expect(superseded).not.toHaveProperty('citations');
    socket.close();
    expect((await read(regular, posted.body.reply.id)).citations).toHaveLength(1);
  });
});

describe('a reply in a shared conversation', () => {
  it('uses the approved version, also when its owner has a newer one', async () => {
    const { id } = await system.write(power, { content: 'The lemurfund pays on Monday.' });
    await system.settled(power, id);
    await system.post(admin, `/knowledge/${id}/approve`);
    const body = { content: 'The lemurfund pays on Friday.' };
    await system.app.request('PATCH', `/knowledge/${id}`, { token: power.accessToken, body });
    await system.settled(power, id);
    await system.idle();
    const shared = await openConversation(power, [regular]);
    const reply = await ask(power, shared, 'When does the lemurfund pay?');
    expect(reply.citations.map(({ version, quote }) => [version, quote])).toEqual([
      [1, 'The lemurfund pays on Monday.'],
    ]);
    const own = await openConversation(power);
    const alone = await ask(power, own, 'When does the lemurfund pay?');
    expect(alone.citations.map(({ version }) => version)).toEqual([2]);
  });
});
