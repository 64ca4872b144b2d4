import { can } from '../../shared/accounts/policy.js';
import type { Principal } from '../../shared/accounts/principal.js';
import { findJob, type JobView } from '../../shared/backlog/control.js';
import type { Sql } from '../../shared/database.js';
import { notFound } from '../../shared/errors.js';

/** @throws AppError `not_found` for a job of somebody else, unless an admin asks. */
export async function requireJob(sql: Sql, { userId, role }: Principal, id: string): Promise<JobView> {
  const job = await findJob(sql, id);
  if (!job || (job.userId !== userId && !can(role, 'jobs:manage-all'))) throw notFound('The job');
  return job;
}
