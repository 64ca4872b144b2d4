import { all, type Condition, type Filter, is, not, some } from '../../adapters/vector-store/filter.js';

/** What one person may read, as their role says; documents are read by those who have access, whatever their role. */
export type Rights = {
  userId: string;
  /** Approved entries of everybody. */
  approvedEntries: boolean;
  /** The newest versions of their own entries. */
  ownEntries: boolean;
  /** The newest versions of all entries: admins. */
  allEntries: boolean;
};

/**
 * The passages that a search of this person finds: of entries that they manage the newest version, of others the
 * approved one. (They may read the approved one of their own as well, but would find everything twice.)
 */
function foundBy(reader: Rights): Filter {
  const own = is('ownerId', reader.userId);
  const newest = is('newest', true);
  if (reader.allEntries) return withDocuments(reader, newest);
  return withDocuments(
    reader,
    ...(reader.approvedEntries ? [all(is('approved', true), ...(reader.ownEntries ? [not(own)] : []))] : []),
    ...(reader.ownEntries ? [all(own, newest)] : []),
  );
}

/**
 * The passages that every one of them may read: what a reply in a shared conversation may use. Of nobody it is
 * nothing.
 */
export function readableByAll(readers: readonly Rights[]): Filter {
  const [first, ...others] = readers;
  if (!first) return some();
  return others.length === 0 ? foundBy(first) : all(...readers.map(readableBy));
}

function readableBy(reader: Rights): Filter {
  return withDocuments(
    reader,
    ...(reader.approvedEntries || reader.allEntries ? [is('approved', true)] : []),
    ...(reader.ownEntries ? [all(is('ownerId', reader.userId), is('newest', true))] : []),
    ...(reader.allEntries ? [is('newest', true)] : []),
  );
}

function withDocuments(reader: Rights, ...entries: Condition[]): Filter {
  return some(all(is('kind', 'entry'), some(...entries)), all(is('kind', 'document'), is('readers', reader.userId)));
}
