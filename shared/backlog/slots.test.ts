import { expect, test } from 'vitest';
import { always, createSlotCounter, halvedWhenShared } from './slots.js';

const anna = { queue: 'ingestion', userId: 'anna' } as const;
const ben = { queue: 'ingestion', userId: 'ben' } as const;

test('a user who is alone has all slots, and half of them while others come by', () => {
  let now = 0;
  const slots = createSlotCounter({ ingestion: halvedWhenShared(3) }, () => now);

  slots.note(anna);
  slots.note(anna);
  expect(slots.count(anna)).toBe(3);

  slots.note(ben);
  expect([slots.count(anna), slots.count(ben)]).toEqual([2, 2]);
  slots.note(anna);
  slots.note(anna);
  expect([slots.count(anna), slots.count(ben)]).toEqual([2, 2]);

  now = 4_999;
  slots.note(anna);
  expect([slots.count(anna), slots.count(ben)]).toEqual([2, 2]);
  now = 5_000;
  expect([slots.count(anna), slots.count(ben)]).toEqual([3, 2]);
});

test('who uses another queue takes nothing away', () => {
  const slots = createSlotCounter({ ingestion: halvedWhenShared(2) }, () => 0);
  slots.note(anna);
  slots.note({ ...ben, queue: 'vectors' });
  expect(slots.count(anna)).toBe(2);
});

test('a queue may have one number for all times, and has two without', () => {
  const slots = createSlotCounter({ replies: always(5) }, () => 0);
  for (const queue of ['replies', 'upkeep'] as const) {
    slots.note({ ...anna, queue });
    slots.note({ ...ben, queue });
  }
  expect(slots.count({ ...anna, queue: 'replies' })).toBe(5);
  expect(slots.count({ ...anna, queue: 'upkeep' })).toBe(2);
});
