import { can } from '../../shared/accounts/policy.js';
import type { Principal } from '../../shared/accounts/principal.js';
import { findJob, type JobView } from '../../shared/backlog/control.js';
import type { Sql } from '../../shared/database.js';
import { notFound } from '../../shared/errors.js';
import { isIngestion } from '../../shared/knowledge/cancel-ingestion.js';
import { managesVersion } from '../../shared/knowledge/manages-version.js';

/**
 * @throws AppError `not_found` for a job of somebody else, unless an admin asks, or whose entry it brings into the index: an
 * admin may have edited it, or had it read again.
 */
export async function requireJob(sql: Sql, principal: Principal, id: string): Promise<JobView> {
  const { userId, role } = principal;
  const job = await findJob(sql, id);
  if (!job) throw notFound('The job');
  if (job.userId === userId || can(role, 'jobs:manage-all')) return job;
  if (!isIngestion(job.kind) || !(await managesVersion(sql, principal, job.subjectId))) throw notFound('The job');
  return job;
}
