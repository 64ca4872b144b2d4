import { requirePermission } from '../accounts/policy.js';
import { AppError, notFound } from '../errors.js';
import { type EntryFacts, type Reader, requireManage, visibleVersion } from './policy.js';

/** How far the newest version of an entry is on its way to everybody. */
export const statuses = ['draft', 'submitted', 'approved', 'rejected'] as const;
export type Status = (typeof statuses)[number];

/**
 * What may be done with an entry: in which status, by whom, and what becomes of it. This is the only place that
 * knows. A new version makes a draft of the entry; what was approved before stays readable until the new one is
 * approved too. To reject what was approved takes it back from everybody; where a newer version is on its way, that
 * goes on from where it is.
 */
const moves = {
  edit: { from: statuses, to: 'draft', by: 'manager' },
  submit: { from: ['draft', 'rejected'], to: 'submitted', by: 'manager' },
  approve: { from: ['draft', 'submitted', 'rejected'], to: 'approved', by: 'approver' },
  reject: { from: ['submitted', 'approved'], to: 'rejected', by: 'approver' },
  rejectEarlier: { from: statuses, to: 'same', by: 'approver' },
} as const satisfies Record<string, { from: readonly Status[]; to: Status | 'same'; by: 'manager' | 'approver' }>;

export type Move = keyof typeof moves;

/**
 * @returns the status after the move.
 * @throws AppError `not_found`, `forbidden`; `conflict` when the status does not allow it.
 */
export function move(reader: Reader, entry: EntryFacts & { status: Status }, name: Move): Status {
  const { from, to, by } = moves[name];
  if (visibleVersion(reader, entry) === null) throw notFound('The entry');
  if (by === 'approver') requirePermission(reader, 'knowledge:approve');
  else requireManage(reader, entry);
  if (!(from as readonly Status[]).includes(entry.status)) {
    throw new AppError('conflict', `An entry that is ${entry.status} cannot be ${past[name]}.${hint(entry, name)}`);
  }
  return to === 'same' ? entry.status : to;
}

const past: Record<Move, string> = {
  edit: 'edited',
  submit: 'submitted',
  approve: 'approved',
  reject: 'rejected',
  rejectEarlier: 'rejected',
};

/** Whoever wants to take back what everybody reads has not seen that its owner has edited it since. */
function hint({ approvedVersion }: EntryFacts, name: Move): string {
  if (name !== 'reject' || approvedVersion === null) return '';
  return ` To take version ${approvedVersion} back, which is approved, name it as "version".`;
}
