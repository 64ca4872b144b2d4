import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDocument } from '../support/documents.js';
import { eventually } from '../support/eventually.js';
import { createHeldModel } from '../support/held-model.js';
import { startTestSystem, type TestSystem } from '../support/system.js';

const model = createHeldModel();
let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem({ workers: 0, modelApi: model.options });
});
afterAll(() => system.close());

test('an edit by Claude that lost its job to another attempt records no tokens, as it writes nothing else', async () => {
  const { database } = system.app.ctx;
  const worker = await system.startWorker();
  const ada = await system.app.registerUser();
  const id = await makeDocument(system.app, ada, { title: 'T', content: 'Some text.' });
  const edit = { token: ada.accessToken, body: { instruction: 'Make it better.' } };
  expect((await system.app.request('POST', `/documents/${id}/edits`, edit)).status).toBe(202);
  await eventually(async () => {
    const { rows } = await database.query(`SELECT 1 FROM document_suggestions WHERE state = 'running'`);
    expect(rows).toHaveLength(1);
  });
  await database.query(
    `UPDATE jobs SET attempt = attempt + 1, lease_until = now() + interval '1 hour' WHERE kind = 'edit-document'`,
  );
  model.release();
  // By then it has written all that it writes.
  await worker.stop();
  expect((await database.query('SELECT attempt FROM usage')).rows).toEqual([]);
});
