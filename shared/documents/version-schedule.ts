/** Editing that goes on is cut into versions this often, and a pause as long ends one, in milliseconds. */
const versionEveryMs = 10 * 60_000;

const hour = 3_600_000;
const day = 24 * hour;

/** How far apart kept versions are by their age: everything for a day, then one an hour, a day, a week. */
const steps: readonly { olderThan: number; apart: number }[] = [
  { olderThan: 180 * day, apart: 7 * day },
  { olderThan: 14 * day, apart: day },
  { olderThan: day, apart: hour },
];

/** A version as far as the schedule looks at it. */
export type Dated = { n: number; editedAt: number; reason: string };

/**
 * Which versions have had their time: of those that fall into one span of their age the newest stays. The newest of
 * all stays, and for half a year what was kept before a restore.
 *
 * @param now milliseconds of the epoch, as `editedAt`.
 */
export function thinOut(versions: readonly Dated[], now: number): number[] {
  const newestFirst = [...versions].sort((one, other) => other.editedAt - one.editedAt || other.n - one.n);
  // Numbers go on from the highest. It stays, whatever clocks said: else two texts would have one number.
  const last = versions.reduce((highest, { n }) => Math.max(highest, n), 0);
  const taken = new Set<string>();
  const gone: number[] = [];
  newestFirst.forEach(({ n, editedAt, reason }, index) => {
    const step = steps.find(({ olderThan }) => now - editedAt > olderThan);
    if (!step) return;
    const span = `${step.apart} ${Math.floor(editedAt / step.apart)}`;
    const stays = index === 0 || n === last || (reason !== 'schedule' && now - editedAt < 180 * day);
    if (taken.has(span) && !stays) gone.push(n);
    taken.add(span);
  });
  return gone;
}

/** One row of a log, as far as the schedule looks at it; a compacted one says when the first of its edits was made. */
export type DatedRow = { createdAt: number; authorIds: string[]; begunAt: number | null };

/** A version: when the last edit in it was made, in milliseconds, and by whom those since the one before were. */
export type Cut = { editedAt: number; authorIds: string[] };

/**
 * Decides where a log is cut into versions, row by row: after a pause, and every ten minutes of editing that goes
 * on. What was edited since the last cut belongs to the next version.
 */
export function createCutter() {
  const authors = new Set<string>();
  let since: number | null = null;
  let last = 0;

  const take = (): Cut => {
    const cut = { editedAt: last, authorIds: [...authors] };
    authors.clear();
    since = null;
    return cut;
  };
  const due = (now: number): boolean =>
    since !== null && (now - last >= versionEveryMs || now - since >= versionEveryMs);

  return {
    /** Call before a row is applied. @returns the version that ends before it. */
    before(row: DatedRow): Cut | null {
      const cut = due(row.createdAt) ? take() : null;
      // A compacted row whose edits are all in versions has no authors any more.
      for (const id of row.authorIds) authors.add(id);
      if (row.authorIds.length > 0) since ??= row.begunAt ?? row.createdAt;
      last = row.createdAt;
      return cut;
    },
    /** Call when all rows are applied. @returns the version that ends with the log, if nobody edits any more. */
    end: (now: number): Cut | null => (due(now) ? take() : null),
    /** The same, though somebody edits. @returns null when everything is in versions. */
    now: (): Cut | null => (since === null ? null : take()),
    /** Whose edits are in no version yet, and since when. */
    left: () => ({ authorIds: [...authors], begunAt: since }),
  };
}
