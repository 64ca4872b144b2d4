import type { Role } from '../../shared/accounts/principal.js';
import type { TestUser } from './app.js';

/** What a test of rights knows by itself, so that it can say what each reader may be shown at a moment. */
export type Actor = TestUser & { role: Role };

/** A version holds one word that nothing else holds. */
export type KnownVersion = { secret: string; isFile: boolean };

export type KnownEntry = {
  id: string;
  owner: Actor;
  /** Stands in every version and in no other entry: what is asked about. */
  topic: string;
  versions: KnownVersion[];
  /** Numbers count from 1. */
  approved: number | null;
  deleted: boolean;
};

export type KnownConversation = { id: string; owner: Actor; members: Set<Actor>; replies: string[] };

function manages(reader: Actor, entry: KnownEntry): boolean {
  return reader.role === 'admin' || (reader.role === 'power' && entry.owner === reader);
}

/** The versions that a reader may see: read, download, or have quoted. */
export function readable(reader: Actor, entry: KnownEntry): number[] {
  if (entry.deleted || reader.role === 'guest') return [];
  if (manages(reader, entry)) return entry.versions.map((_, index) => index + 1);
  return entry.approved === null ? [] : [entry.approved];
}

/** The versions from which a reply may be made that all of the readers see. */
export function usable(readers: Iterable<Actor>, entry: KnownEntry): number[] {
  let common = [entry.versions.length, entry.approved ?? 0];
  for (const reader of readers) {
    const seen = readable(reader, entry);
    common = common.filter((n) => seen.includes(n));
  }
  return common;
}

/** The secrets in a text of which the versions are not among those that `allowed` names of each entry. */
export function forbiddenIn(
  text: string,
  entries: readonly KnownEntry[],
  allowed: (entry: KnownEntry) => number[],
): string[] {
  return entries.flatMap((entry) => {
    const numbers = allowed(entry);
    return entry.versions
      .filter((_, index) => !numbers.includes(index + 1))
      .map(({ secret }) => secret)
      .filter((secret) => new RegExp(`${secret}\\b`).test(text));
  });
}

/** Numbers that look random and are the same for the same seed. @returns a whole number from 0 to below the argument. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
