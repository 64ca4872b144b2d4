import { expect, test, vi } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startKnowledgeSystem } from '../support/knowledge.js';
import { startS3 } from '../support/s3.js';

vi.setConfig({ testTimeout: 90_000 });

test('while the storage of files is away uploads and downloads say so, and what was accepted waits for it', async () => {
  const s3 = await startS3();
  for (const [name, value] of Object.entries(s3.env)) vi.stubEnv(name, value);
  const system = await startKnowledgeSystem({ workers: 0, env: { STORAGE: s3.storage } });
  try {
    const user = await system.app.registerUser({ role: 'power' });
    const { body } = await system.upload(user, { name: 'one.md', bytes: 'A quaggaword is here.' });
    const { id } = body.entry;
    s3.is(403);

    const refused = await system.upload(user, { name: 'two.md', bytes: 'Another one.' });
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(refused.body.detail).toMatch(/^Files cannot be stored at the moment/);
    const download = await system.app.request('GET', `/knowledge/${id}/file`, { token: user.accessToken });
    expect(download).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(download.body.detail).toMatch(/^The storage of files/);

    await system.startWorker();
    const job = () => system.app.request('GET', `/jobs/${body.jobId}`, { token: user.accessToken });
    await eventually(async () => expect((await job()).body.error).toMatchObject({ code: 'storage_unavailable' }));
    await eventually(async () => {
      const { rows } = await system.app.ctx.database.query<{ attempt: number; failures: number }>(
        'SELECT attempt, failures FROM jobs WHERE id = $1',
        [body.jobId],
      );
      expect(rows[0]).toMatchObject({ failures: 0 });
      expect(rows[0]?.attempt).toBeGreaterThan(2);
    });

    s3.is('well');
    const { version } = await system.settled(user, id, 60_000);
    expect(version).toMatchObject({ state: 'ready', error: null });
    expect(await system.search(user, 'quaggaword')).toHaveLength(1);
  } finally {
    await system.close();
    vi.unstubAllEnvs();
    await s3.close();
  }
});
