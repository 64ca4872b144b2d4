import { expect, test, vi } from 'vitest';
import { notFound } from '../../shared/errors.js';
import type { RoomBus } from '../../shared/realtime/room-bus.js';
import { createOpenRooms } from './open-rooms.js';
import type { Session } from './session.js';
import { enterRoom } from './socket-rooms.js';

const room = 'conversation:1';

function start() {
  const bus = { listen: () => ({ ready: Promise.resolve(), stop: vi.fn() }) } as unknown as RoomBus;
  const rooms = createOpenRooms(bus);
  const socket = { id: 's', connected: true, join: vi.fn(), leave: vi.fn(), emit: vi.fn() };
  const session = { socket, principal: { userId: 'u' }, rooms: new Set() } as unknown as Session;
  const enter = (authorise: () => Promise<{ readsFromSeq: number }>) =>
    enterRoom({ realtime: { rooms } }, session, room, authorise);
  return { rooms, socket, session, enter };
}

test('who enters can be found by a revocation before the right is looked at, and hears nothing before that', async () => {
  const { rooms, socket, enter } = start();
  let found = false;
  await enter(async () => {
    found = rooms.has(room, 's');
    expect(socket.join).not.toHaveBeenCalled();
    return { readsFromSeq: 0 };
  });
  expect(found).toBe(true);
  expect(socket.join).toHaveBeenCalledWith(room);
});

test('a right that is taken away while it is looked at lets nobody in', async () => {
  const { rooms, socket, session, enter } = start();
  const entering = enter(async () => {
    rooms.expel(room, 'u');
    return { readsFromSeq: 0 };
  });
  await expect(entering).rejects.toMatchObject({ code: 'unavailable' });
  expect(socket.join).not.toHaveBeenCalled();
  expect([session.rooms.size, rooms.names()]).toEqual([0, []]);
});

test('without the right the room is left again', async () => {
  const { rooms, socket, session, enter } = start();
  await expect(enter(() => Promise.reject(notFound('It')))).rejects.toMatchObject({ code: 'not_found' });
  expect(socket.join).not.toHaveBeenCalled();
  expect([session.rooms.size, rooms.names()]).toEqual([0, []]);
});
