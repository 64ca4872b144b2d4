import { expect, it } from 'vitest';
import type { Answer, TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { startKnowledgeSystem } from '../support/knowledge.js';

it('what was approved is taken back while a newer version goes on', { timeout: 60_000 }, async () => {
  const system = await startKnowledgeSystem();
  try {
    const [admin, owner, reader] = (await Promise.all(
      (['admin', 'power', 'regular'] as const).map((role) => system.app.registerUser({ role })),
    )) as [TestUser, TestUser, TestUser];
    const call = (user: TestUser, method: string, path: string, body?: object): Promise<Answer> =>
      system.app.request(method, `/knowledge/${id}${path}`, { token: user.accessToken, ...(body ? { body } : {}) });
    const reject = (version?: number): Promise<Answer> =>
      call(admin, 'POST', '/reject', { reason: 'outdated', ...(version ? { version } : {}) });
    const found = async (user: TestUser): Promise<number[]> =>
      (await system.search(user, 'avocetletter')).map(({ version }) => version ?? 0);

    const { id } = await system.write(owner, { content: 'The avocetletter.' });
    await system.settled(owner, id);
    expect((await call(admin, 'POST', '/approve')).status).toBe(200);
    const shown = await call(reader, 'GET', '');
    expect((await call(owner, 'PATCH', '', { content: 'The avocetletter, again.' })).status).toBe(202);
    // That there is a newer one is not for readers to know.
    expect((await call(reader, 'GET', '')).body).toEqual(shown.body);
    await system.settled(owner, id);
    await eventually(async () => expect([await found(reader), await found(owner)]).toEqual([[1], [2]]));

    expect(await reject()).toMatchObject({ status: 409, body: { detail: expect.stringContaining('version 1 back') } });
    expect((await reject(7)).status).toBe(409);
    const taken = { status: 'draft', reason: 'outdated', approvedVersion: null };
    expect(await reject(1)).toMatchObject({ status: 200, body: taken });
    expect((await call(reader, 'GET', '')).status).toBe(404);
    expect([await found(reader), await found(owner)]).toEqual([[], [2]]);

    expect((await reject(1)).status).toBe(409);
    expect((await call(owner, 'POST', '/submit')).body).toMatchObject({ status: 'submitted', reason: null });
    expect((await reject(2)).body).toMatchObject({ status: 'rejected', approvedVersion: null });
    expect((await call(admin, 'POST', '/approve')).body).toMatchObject({ status: 'approved', approvedVersion: 2 });
    expect(await reject(1)).toMatchObject({ status: 409, body: { detail: expect.stringContaining('approved is 2') } });
    await eventually(async () => expect(await found(reader)).toEqual([2]));
    await system.idle();
    expect(await system.app.ctx.vectors.count()).toBe(1);
  } finally {
    await system.close();
  }
});
