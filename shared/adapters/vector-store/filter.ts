/** Conditions on payload fields, in the shape in which Qdrant takes them; made by the functions below. */
export type Filter = {
  /** All of them hold. */
  must?: Condition[];
  /** At least one of them holds. */
  should?: Condition[];
  /** None of them holds. */
  must_not?: Condition[];
};

export type Condition =
  | { key: string; match: { value: string | number | boolean } }
  | { key: string; match: { any: string[] } }
  | { has_id: string[] }
  | Filter;

/** Holds for every point. */
export const everything: Filter = {};

/** Holds for no point. */
export const nothing: Filter = { must: [{ has_id: [] }] };

/** The field has this value; a list has it among its values. */
export function is(key: string, value: string | number | boolean): Condition {
  return { key, match: { value } };
}

/** The field, or one of the values of a list, is among these. */
export function isAnyOf(key: string, values: readonly string[]): Condition {
  return values.length === 0 ? nothing : { key, match: { any: [...values] } };
}

/** The point has one of these ids. */
export function hasId(ids: readonly string[]): Condition {
  return { has_id: [...ids] };
}

export function all(...conditions: Condition[]): Filter {
  return conditions.length === 0 ? everything : { must: conditions };
}

/** At least one of them. Of none it is nothing, where Qdrant takes an empty list for everything. */
export function some(...conditions: Condition[]): Filter {
  return conditions.length === 0 ? nothing : { should: conditions };
}

export function not(condition: Condition): Filter {
  return { must_not: [condition] };
}
