import type { Payload } from './requests.js';

/** Slots by the values of one payload field. */
export type PayloadIndex = {
  add(slot: number, payload: Payload): void;
  remove(slot: number, payload: Payload): void;
  /** Slots whose field has this value, or has it in its list. */
  slotsOf(value: unknown): Iterable<number>;
};

export function createPayloadIndex(field: string): PayloadIndex {
  const slots = new Map<unknown, Set<number>>();
  return {
    add(slot, payload) {
      for (const value of valuesOf(payload[field])) {
        const set = slots.get(value) ?? new Set();
        slots.set(value, set.add(slot));
      }
    },
    remove(slot, payload) {
      for (const value of valuesOf(payload[field])) {
        const set = slots.get(value);
        set?.delete(slot);
        if (set?.size === 0) slots.delete(value);
      }
    },
    slotsOf: (value) => slots.get(value) ?? [],
  };
}

/** The values that conditions on a field look at: of a list, each of its own. */
export function valuesOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
