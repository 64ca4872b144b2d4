/** Somebody who has a room open. */
export type Person = { userId: string; name: string };

/** Who has a room open, from the list that comes with joining and the changes after it. */
export type People = {
  readonly present: ReadonlyMap<string, Person>;
  /** @returns the person, and nothing else of what came. */
  change(person: Person, here: boolean): Person;
  /** Call before joining: what changes until the list is here may be in it or not, and is done again after it. */
  expectList(): void;
  takeList(list: readonly Person[]): void;
};

export function createPeople(): People {
  const present = new Map<string, Person>();
  let meanwhile: { person: Person; here: boolean }[] = [];

  function apply({ userId, name }: Person, here: boolean): void {
    if (here) present.set(userId, { userId, name });
    else present.delete(userId);
  }

  return {
    present,
    change({ userId, name }, here) {
      const person = { userId, name };
      meanwhile.push({ person, here });
      if (meanwhile.length > 1_000) meanwhile.shift();
      apply(person, here);
      return person;
    },
    expectList: () => void (meanwhile = []),
    takeList(list) {
      present.clear();
      for (const person of list) apply(person, true);
      for (const { person, here } of meanwhile) apply(person, here);
      meanwhile = [];
    },
  };
}
