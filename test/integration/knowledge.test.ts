import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

let system: KnowledgeSystem;
let admin: TestUser;
let power: TestUser;
let other: TestUser;
let regular: TestUser;
let guest: TestUser;

beforeAll(async () => {
  system = await startKnowledgeSystem();
  admin = await system.app.registerUser({ role: 'admin' });
  power = await system.app.registerUser({ role: 'power' });
  other = await system.app.registerUser({ role: 'power' });
  regular = await system.app.registerUser({ role: 'regular' });
  guest = await system.app.registerUser({ role: 'guest' });
});
afterAll(() => system.close());

const get = (user: TestUser, path: string) => system.app.request('GET', path, { token: user.accessToken });

describe('an entry made from text', () => {
  it('is accepted, read, embedded and indexed, and its job ends when it can be searched', async () => {
    const { body } = await system.post(power, '/knowledge', {
      title: 'Coffee machine',
      content: '# Coffee\n\nThe descaling of the zanzibarian espresso machine takes forty minutes.',
      tags: ['Kitchen', 'kitchen', 'howto'],
    });
    expect(body.entry).toMatchObject({
      status: 'draft',
      tags: ['kitchen', 'howto'],
      version: { n: 1, state: 'ingesting' },
    });
    const entry = await system.settled(power, body.entry.id);
    expect(entry.version).toMatchObject({ state: 'ready', progress: { stage: 'ready', read: 1 } });
    const { progress } = entry.version;
    expect(progress.indexed).toBe(progress.chunks);
    await eventually(async () => {
      const job = await get(power, `/jobs/${body.jobId}`);
      expect(job.body).toMatchObject({ state: 'done', progress: { stage: 'ready' } });
    });
    const [hit] = await system.search(power, 'zanzibarian espresso', { mode: 'hybrid' });
    expect(hit).toMatchObject({ entryId: entry.id, title: 'Coffee machine', version: 1, headingPath: ['Coffee'] });
    expect(hit?.text).toContain('forty minutes');
  });

  it('is found by others only when it is approved, and by nobody else when it is rejected', async () => {
    const { id } = await system.write(power, { title: 'Parking', content: 'The quokkaparking garage opens at seven.' });
    await system.settled(power, id);
    expect(await system.search(regular, 'quokkaparking garage')).toEqual([]);
    expect(await system.search(other, 'quokkaparking garage')).toEqual([]);
    expect(await system.search(admin, 'quokkaparking')).toHaveLength(1);
    expect((await get(regular, `/knowledge/${id}`)).status).toBe(404);
    expect((await get(other, `/knowledge/${id}`)).status).toBe(404);

    expect((await system.post(power, `/knowledge/${id}/approve`)).status).toBe(403);
    expect((await system.post(other, `/knowledge/${id}/approve`)).status).toBe(404);
    expect((await system.post(power, `/knowledge/${id}/submit`)).body.status).toBe('submitted');
    expect((await system.post(power, `/knowledge/${id}/submit`)).status).toBe(409);
    expect((await system.post(admin, `/knowledge/${id}/approve`, { version: 7 })).status).toBe(409);
    const approvedAt = performance.now();
    expect((await system.post(admin, `/knowledge/${id}/approve`)).body).toMatchObject({ status: 'approved' });
    await eventually(async () => expect(await system.search(regular, 'quokkaparking garage')).toHaveLength(1));
    // Not with the next look at the whole index, every 5 s.
    expect(performance.now() - approvedAt).toBeLessThan(4_000);
    expect((await get(regular, `/knowledge/${id}`)).body).toMatchObject({
      status: 'approved',
      version: { jobId: null },
    });
    expect(
      (await system.app.request('PATCH', `/knowledge/${id}`, { token: regular.accessToken, body: { title: 'x' } }))
        .status,
    ).toBe(403);
    expect((await system.app.request('DELETE', `/knowledge/${id}`, { token: other.accessToken })).status).toBe(403);

    expect((await system.post(admin, `/knowledge/${id}/reject`, { reason: 'Out of date' })).body.reason).toBe(
      'Out of date',
    );
    expect(await system.search(regular, 'quokkaparking garage')).toEqual([]);
    expect((await get(regular, `/knowledge/${id}`)).status).toBe(404);
    expect(await system.search(power, 'quokkaparking garage')).toHaveLength(1);
  });

  it('is approved to others whatever its newer version is, also where searches filter by status', async () => {
    const { id } = await system.write(power, { content: 'The bandicootladder is made of oak.' });
    await system.settled(power, id);
    await system.post(admin, `/knowledge/${id}/approve`);
    const body = { content: 'The bandicootladder is made of ash.' };
    await system.app.request('PATCH', `/knowledge/${id}`, { token: power.accessToken, body });
    await system.settled(power, id);
    await system.idle();
    const versions = async (user: TestUser, status: string): Promise<(number | null)[]> =>
      (await system.search(user, 'bandicootladder', { status })).map(({ version }) => version);
    for (const reader of [regular, other]) {
      expect(await versions(reader, 'approved')).toEqual([1]);
      expect(await versions(reader, 'draft')).toEqual([]);
    }
    for (const manager of [power, admin]) {
      expect(await versions(manager, 'approved')).toEqual([]);
      expect(await versions(manager, 'draft')).toEqual([2]);
    }
  });

  it('keeps its approved version for others until the next one is approved', async () => {
    const { id } = await system.write(power, { content: 'The wombatlunch is served at noon.' });
    await system.settled(power, id);
    await system.post(admin, `/knowledge/${id}/approve`);
    const patched = await system.app.request('PATCH', `/knowledge/${id}`, {
      token: power.accessToken,
      body: { content: 'The wombatlunch is served at one, says the platypusmemo.' },
    });
    expect(patched).toMatchObject({
      status: 202,
      body: { entry: { status: 'draft', version: { n: 2 }, approvedVersion: 1 } },
    });
    await system.settled(power, id);
    await system.idle();
    expect((await system.search(power, 'wombatlunch')).map((hit) => hit.version)).toEqual([2]);
    expect((await system.search(regular, 'wombatlunch')).map((hit) => hit.version)).toEqual([1]);
    expect(await system.search(regular, 'platypusmemo')).toEqual([]);
    expect((await get(regular, `/knowledge/${id}`)).body.content).toContain('at noon');
    expect((await get(regular, `/knowledge/${id}/versions`)).body.items).toHaveLength(1);
    expect((await get(power, `/knowledge/${id}/versions`)).body.items).toHaveLength(2);
    await system.post(admin, `/knowledge/${id}/approve`);
    await system.idle();
    expect((await system.search(regular, 'wombatlunch')).map((hit) => hit.version)).toEqual([2]);
    expect(await system.app.ctx.vectors.count({ must: [{ key: 'entryId', match: { value: id } }] })).toBe(1);
  });

  it('is nothing to guests, and regular users may not write', async () => {
    for (const path of ['/knowledge', '/knowledge/search?q=x']) expect((await get(guest, path)).status).toBe(403);
    const body = { title: 'x', content: 'y' };
    expect((await system.post(guest, '/knowledge', body)).status).toBe(403);
    expect((await system.post(regular, '/knowledge', body)).status).toBe(403);
    expect((await system.upload(regular, { name: 'a.txt', bytes: 'text' })).status).toBe(403);
    expect(await system.objects()).not.toContain('a.txt');
  });

  it('is not found by a query without words, in whichever way it is searched for', async () => {
    const { id } = await system.write(power, { content: 'The numbat rota hangs in the kitchen.' });
    await system.settled(power, id);
    expect((await system.search(power, 'numbat rota')).length).toBeGreaterThan(0);
    for (const q of ['!!!???...', '(.*)+$', '\u{1f600}']) {
      for (const mode of ['sparse', 'dense', 'hybrid'])
        expect([q, await system.search(power, q, { mode })]).toEqual([q, []]);
    }
  });

  it('is filtered by tags and status, in lists and in searches', async () => {
    expect((await system.post(power, '/knowledge', { title: 'T', content: 'C', tags: ['a,b'] })).status).toBe(400);
    const one = await system.write(power, { content: 'The echidnabudget of spring.', tags: ['money', 'spring'] });
    const two = await system.write(power, { content: 'The echidnabudget of autumn.', tags: ['money'] });
    for (const { id } of [one, two]) await system.settled(power, id);
    expect(await system.search(power, 'echidnabudget', { tags: 'money' })).toHaveLength(2);
    expect(await system.search(power, 'echidnabudget', { tags: 'money,spring' })).toHaveLength(1);
    await system.post(power, `/knowledge/${two.id}/submit`);
    await system.idle();
    const found = await system.search(power, 'echidnabudget', { status: 'submitted' });
    expect(found.map((hit) => hit.entryId)).toEqual([two.id]);
    const listed = await get(power, '/knowledge?status=submitted&tags=money&owner=me');
    expect(listed.body.items.map((entry: { id: string }) => entry.id)).toEqual([two.id]);
    const first = await get(power, '/knowledge?limit=1');
    const second = await get(power, `/knowledge?limit=1&cursor=${first.body.nextCursor}`);
    expect(second.body.items[0].id < first.body.items[0].id).toBe(true);
  });

  it('does not fill the whole page alone', async () => {
    const section = (n: number) => `## Part ${n}\n\n${`The axolotlreport number ${n} says something. `.repeat(60)}`;
    const long = await system.write(power, { content: Array.from({ length: 12 }, (_, n) => section(n)).join('\n\n') });
    const short = await system.write(power, { content: 'One more axolotlreport, by somebody else.' });
    for (const { id } of [long, short]) await system.settled(power, id);
    const hits = await system.search(power, 'axolotlreport', { limit: '10', mode: 'hybrid' });
    expect(hits.filter((hit) => hit.entryId === long.id)).toHaveLength(3);
    expect(hits.map((hit) => hit.entryId)).toContain(short.id);
  });

  it('is made once for one Idempotency-Key', async () => {
    const send = () =>
      system.app.request('POST', '/knowledge', {
        token: power.accessToken,
        body: { title: 'Once', content: 'only' },
        headers: { 'idempotency-key': 'knowledge-once' },
      });
    const answers = await Promise.all(Array.from({ length: 5 }, send));
    expect(new Set(answers.map(({ body }) => body.entry.id)).size).toBe(1);
  });
});

describe('a deleted entry', () => {
  it('leaves neither point nor chunk nor vector nor file, except what others use', async () => {
    const { database, vectors } = system.app.ctx;
    const bytes = `The numbatfile says the same twice.`;
    const first = await system.upload(power, { name: 'one.txt', bytes });
    const second = await system.upload(power, { name: 'two.txt', bytes });
    const ids = [first, second].map(({ body }) => body.entry.id as string);
    for (const id of ids) await system.settled(power, id);
    const count = async (table: string) =>
      Number((await database.query(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.n);
    expect(first.body.entry.version.sha256).toBe(second.body.entry.version.sha256);
    await system.idle();
    const before = {
      files: await count('files'),
      embeddings: await count('embeddings'),
      points: await vectors.count(),
    };
    const remove = (id: string | undefined) =>
      system.app.request('DELETE', `/knowledge/${id}`, { token: power.accessToken });
    expect((await remove(ids[0])).status).toBe(204);
    expect((await get(power, `/knowledge/${ids[0]}`)).status).toBe(404);
    await system.idle();
    expect({ files: await count('files'), embeddings: await count('embeddings') }).toEqual({
      files: before.files,
      embeddings: before.embeddings,
    });
    expect((await system.search(power, 'numbatfile')).map((hit) => hit.entryId)).toEqual([ids[1]]);
    await remove(ids[1]);
    await system.idle();
    expect({
      files: await count('files'),
      embeddings: await count('embeddings'),
      points: await vectors.count(),
    }).toEqual({
      files: before.files - 1,
      embeddings: before.embeddings - 1,
      points: before.points - 2,
    });
    const { rows } = await database.query('SELECT 1 FROM knowledge_entries WHERE id = ANY($1::uuid[])', [ids]);
    expect(rows).toEqual([]);
    expect(await system.objects()).toHaveLength(before.files - 1);
  });
});

describe('a version', () => {
  it('is done again from any stage', async () => {
    const { id } = await system.write(power, { content: 'The dugongplan is repeated.' });
    await system.settled(power, id);
    for (const stage of ['index', 'embed', 'read']) {
      const replay = await system.post(power, `/knowledge/${id}/reingest`, { stage });
      expect(replay.status).toBe(202);
      await system.settled(power, id);
      await system.idle();
      expect(await system.search(power, 'dugongplan')).toHaveLength(1);
      expect((await get(power, `/jobs/${replay.body.jobId}`)).body.state).toBe('done');
    }
    expect((await system.post(regular, `/knowledge/${id}/reingest`)).status).toBe(404);
  });
});
