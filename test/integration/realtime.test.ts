import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClient } from '../../shared/client/index.js';
import { type TestApp, type TestUser, startTestApp } from '../support/app.js';
import { scriptReply } from '../support/replies.js';

let app: TestApp;
let user: TestUser;
let conversationId: string;
beforeAll(async () => {
  app = await startTestApp();
  user = await app.registerUser();
  const { body } = await app.request('POST', '/conversations', { token: user.accessToken, body: { title: 'T' } });
  conversationId = body.id;
});
afterAll(() => app.close());

it.each(['websocket', 'polling'] as const)('a reply streams into the room over %s', async (transport) => {
  const client = createClient({ url: app.url, token: user.accessToken, transports: [transport] });
  const conversation = await client.join(conversationId);
  const heard = new Promise<string>((resolve) => conversation.on('reply', (reply) => resolve(reply.messageId)));
  const reply = await scriptReply(app.ctx, conversationId);
  expect(await heard).toBe(reply.messageId);
  const seen = conversation.reply(reply.messageId);
  let assembled = '';
  seen?.on('text', ({ delta, reset }) => (assembled = reset ? delta : assembled + delta));
  const writer = await reply.attempt(1);
  for (const word of ['One ', 'two ', 'three.']) {
    writer.push(word);
    await writer.drain();
  }
  await reply.end(writer, 1, 'One two three.');
  expect((await seen?.finished)?.content).toBe('One two three.');
  expect(assembled).toBe('One two three.');
  client.close();
});
