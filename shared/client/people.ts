/** Somebody who has a room open. */
export type Person = { userId: string; name: string };

/** Who has a room open, from the list that comes with joining and the changes after it. */
export type People = {
  readonly present: ReadonlyMap<string, Person>;
  change(person: Person, here: boolean): void;
  /** Call before joining: what changes until the list is here may be in it or not, and is done again after it. */
  expectList(): void;
  takeList(list: readonly Person[]): void;
};

/** @param onChange told of everybody who is here, or is not any more, other than was known. */
export function createPeople(onChange: (person: Person, here: boolean) => void = () => {}): People {
  const present = new Map<string, Person>();
  let meanwhile: { person: Person; here: boolean }[] = [];

  function apply({ userId, name }: Person, here: boolean): void {
    const person = { userId, name };
    const isNews = present.has(userId) !== here;
    if (here) present.set(userId, person);
    else present.delete(userId);
    if (isNews) onChange(person, here);
  }

  return {
    present,
    change(person, here) {
      meanwhile.push({ person, here });
      if (meanwhile.length > 1_000) meanwhile.shift();
      apply(person, here);
    },
    expectList: () => void (meanwhile = []),
    takeList(list) {
      // As it is after the list and all that has changed since.
      const now = new Map(list.map((person) => [person.userId, person]));
      for (const { person, here } of meanwhile) {
        if (here) now.set(person.userId, person);
        else now.delete(person.userId);
      }
      meanwhile = [];
      for (const person of [...present.values()]) if (!now.has(person.userId)) apply(person, false);
      for (const person of now.values()) apply(person, true);
    },
  };
}
