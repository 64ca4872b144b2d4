import { expect, it } from 'vitest';
import { createPublisher } from '../../shared/realtime/publisher.js';
import { connectRedis } from '../../shared/redis.js';
import { startTestApp } from '../support/app.js';
import { connectRaw } from '../support/sockets.js';

it('a room whose event could not be sent is told to look again, once Redis answers', async () => {
  const app = await startTestApp();
  const user = await app.registerUser();
  const { body } = await app.request('POST', '/conversations', { token: user.accessToken, body: { title: 'T' } });
  const room = `conversation:${body.id}`;
  const socket = await connectRaw(app.url, user.accessToken);
  await socket.ask('conversation:join', { conversationId: body.id });
  // Not connected yet: it refuses as one does that has lost its connection.
  const redis = connectRedis(app.ctx.config.redis.url, 'commands', app.ctx.logger);
  try {
    await createPublisher(redis, app.ctx.logger).emit(room, 'conversation:deleted', { conversationId: body.id });
    expect(await socket.event('room:resync')).toEqual({ room });
    expect(socket.received.map(({ event }) => event)).not.toContain('conversation:deleted');
  } finally {
    redis.disconnect();
    socket.close();
    await app.close();
  }
});
