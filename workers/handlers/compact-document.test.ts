import { expect, test } from 'vitest';
import { AppError } from '../../shared/errors.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';
import { compactDocument } from './compact-document.js';

/** A compaction whose log cannot be read. */
const fails = (error: Error): Promise<unknown> => {
  const ctx = { database: { query: () => Promise.reject(error) } } as unknown as WorkerContext;
  const job = { payload: { documentId: 'an id' } } as JobRun<'compact-document'>;
  return compactDocument.run(ctx, job);
};

test('a log that takes too long to be merged is not tried again; whatever else happens is', async () => {
  const tangled = new AppError('payload_too_large', 'Too entangled.');
  await expect(fails(tangled)).rejects.toMatchObject({ code: 'payload_too_large', transient: false });
  const away = new Error('Postgres is away');
  await expect(fails(away)).rejects.toBe(away);
});
