import { expect, test } from 'vitest';
import { startTestApp } from '../support/app.js';
import { makeDocument } from '../support/documents.js';
import { appendUpdates } from '../../shared/documents/append.js';
import { scheduleCompaction } from '../../shared/documents/schedule-compaction.js';
import { compactDocument } from '../../shared/documents/compact.js';

test('no deadlock', async () => {
  const app = await startTestApp();
  const ada = await app.registerUser();
  const id = await makeDocument(app, ada);
  const { database } = app.ctx;
  const errors: unknown[] = [];
  let n = 0;
  const run = async (withSched: boolean) => {
    const until = Date.now() + 6000;
    const work = Array.from({ length: 4 }, async () => {
      while (Date.now() < until) {
        try {
          await appendUpdates(database, [{ documentId: id, userId: ada.user.id, update: new Uint8Array([0, 0]) }]);
          n += 1;
        } catch (error) {
          errors.push((error as { detail?: string }).detail ?? error);
        }
      }
    });
    if (withSched) work.push((async () => {
      while (Date.now() < until) {
        try { await scheduleCompaction(database, { documentId: id, userId: ada.user.id });
        await compactDocument(database, id); } catch (error) { errors.push(['c', (error as { detail?: string }).detail ?? error]); }
      }
    })());
    await Promise.all(work);
    console.log(n, errors.length, JSON.stringify(errors.slice(0, 3)), (await database.query('select last_seq, (select count(*) from document_updates) from documents')).rows);
  };
  await run(false);
  errors.length = 0;
  await run(true);
  await app.close();
  expect(errors).toEqual([]);
});
