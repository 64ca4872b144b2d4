import { valuesOf } from './payload-index.js';
import type { Points } from './points.js';
import type { Condition, Filter } from './requests.js';

/** For each slot 1 if its point matches, else 0. */
export type Mask = Uint8Array;

/** The points that match; empty slots never do. */
export function matching(points: Points, filter: Filter | null | undefined): Mask {
  const mask = new Uint8Array(points.slots);
  for (let slot = 0; slot < mask.length; slot += 1) mask[slot] = points.idOf(slot) === undefined ? 0 : 1;
  return filter ? and(mask, ofFilter(points, filter)) : mask;
}

/** The slots of the points that match. */
export function matchingSlots(points: Points, filter: Filter | null | undefined): number[] {
  const mask = matching(points, filter);
  return [...mask.keys()].filter((slot) => mask[slot] === 1);
}

function ofFilter(points: Points, { must, should, must_not: mustNot }: Filter): Mask {
  const all = new Uint8Array(points.slots).fill(1);
  for (const condition of list(must)) and(all, ofCondition(points, condition));
  const alternatives = list(should);
  if (alternatives.length > 0) {
    const any = new Uint8Array(points.slots);
    for (const condition of alternatives) or(any, ofCondition(points, condition));
    and(all, any);
  }
  for (const condition of list(mustNot)) and(all, inverse(ofCondition(points, condition)));
  return all;
}

function ofCondition(points: Points, condition: Condition): Mask {
  if ('has_id' in condition) {
    const slots = condition.has_id.map((id) => points.slotOf(id)).filter((slot) => slot !== undefined);
    return maskOf(points, slots);
  }
  if (!('key' in condition)) return ofFilter(points, condition);
  const { key, match } = condition;
  const wanted: unknown[] = 'any' in match ? match.any : [match.value];
  const index = points.indexOf(key);
  if (index) return maskOf(points, ...wanted.map((value) => index.slotsOf(value)));
  const mask = new Uint8Array(points.slots);
  for (let slot = 0; slot < mask.length; slot += 1) {
    mask[slot] = valuesOf(points.payloadOf(slot)[key]).some((value) => wanted.includes(value)) ? 1 : 0;
  }
  return mask;
}

function list(conditions: Condition | Condition[] | null | undefined): Condition[] {
  if (!conditions) return [];
  return Array.isArray(conditions) ? conditions : [conditions];
}

function maskOf(points: Points, ...slots: Iterable<number>[]): Mask {
  const mask = new Uint8Array(points.slots);
  for (const some of slots) for (const slot of some) mask[slot] = 1;
  return mask;
}

function and(mask: Mask, other: Mask): Mask {
  for (let slot = 0; slot < mask.length; slot += 1) mask[slot] = (mask[slot] as number) & (other[slot] as number);
  return mask;
}

function or(mask: Mask, other: Mask): void {
  for (let slot = 0; slot < mask.length; slot += 1) mask[slot] = (mask[slot] as number) | (other[slot] as number);
}

function inverse(mask: Mask): Mask {
  return mask.map((value) => 1 - value);
}
