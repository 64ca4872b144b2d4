import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../shared/accounts/principal.js';
import type { Answer, TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

/** The states of an entry that is to be read, changed and reviewed; `edited` was approved and has a newer draft. */
const states = ['draft', 'submitted', 'approved', 'rejected', 'edited', 'failed'] as const;
type State = (typeof states)[number];

/**
 * Who may come: to an entry that is theirs, or that is somebody else's. Those who own one may have lost their role.
 * Those who are refused come first, and leave the entry as it is to the next ones.
 */
const comers = [
  { role: 'guest', own: true },
  { role: 'guest', own: false },
  { role: 'regular', own: true },
  { role: 'regular', own: false },
  { role: 'power', own: false },
  { role: 'power', own: true },
  { role: 'admin', own: false },
] as const;
type Comer = (typeof comers)[number];

const fileOf = (text: string): FormData => {
  const form = new FormData();
  form.set('file', new Blob([text]), 'file.txt');
  return form;
};

const shown = ['submitted', 'approved'] as const;
const first = { reason: 'no', version: 1 } as const;

/**
 * What can be done with an entry: the request, in which states the one who may do it is not refused, and whether the
 * entry is in the same state afterwards.
 */
const actions = {
  get: { method: 'GET', path: '', by: 'reader', status: 200, from: states, keeps: true },
  versions: { method: 'GET', path: '/versions', by: 'reader', status: 200, from: states, keeps: true },
  file: { method: 'GET', path: '/file', by: 'reader', status: 200, from: states, keeps: true },
  describe: {
    method: 'PATCH',
    path: '',
    body: { tags: ['new'] },
    by: 'manager',
    status: 202,
    from: states,
    keeps: true,
  },
  again: { method: 'POST', path: '/reingest', by: 'manager', status: 202, from: states, keeps: true },
  edit: { method: 'PATCH', path: '', body: { content: 'Another text.' }, by: 'manager', status: 202, from: states },
  replace: { method: 'PUT', path: '/file', form: true, by: 'manager', status: 202, from: states },
  submit: {
    method: 'POST',
    path: '/submit',
    by: 'manager',
    status: 200,
    from: ['draft', 'rejected', 'edited', 'failed'],
  },
  approve: {
    method: 'POST',
    path: '/approve',
    by: 'approver',
    status: 200,
    from: ['draft', 'submitted', 'rejected', 'edited'],
  },
  reject: { method: 'POST', path: '/reject', body: { reason: 'no' }, by: 'approver', status: 200, from: shown },
  takeBack: { method: 'POST', path: '/reject', body: first, by: 'approver', status: 200, from: [...shown, 'edited'] },
  remove: { method: 'DELETE', path: '', by: 'manager', status: 204, from: states },
} as const satisfies Record<
  string,
  {
    method: string;
    path: string;
    body?: object;
    form?: true;
    by: 'reader' | 'manager' | 'approver';
    status: number;
    from: readonly State[];
    keeps?: true;
  }
>;
type Action = (typeof actions)[keyof typeof actions];

/** The table of who may do what, as one would read it aloud. */
function expected({ role, own }: Comer, { by, status, from }: Action, state: State): number {
  const manages = role === 'admin' || (role === 'power' && own);
  const sees = manages || (role !== 'guest' && (state === 'approved' || state === 'edited'));
  if (!sees) return 404;
  if (by !== 'reader' && !(by === 'approver' ? role === 'admin' : manages)) return 403;
  return (from as readonly State[]).includes(state) ? status : 409;
}

let system: KnowledgeSystem;
let admin: TestUser;
/** Of all entries that are looked at. */
let owner: TestUser;
let ownerRole: Role = 'power';
const others = new Map<Role, TestUser>();
let made = 0;
/** An entry of each state that nobody has changed yet. */
const unchanged = new Map<State, string>();

beforeAll(async () => {
  system = await startKnowledgeSystem();
  admin = await system.app.registerUser({ role: 'admin' });
  owner = await system.app.registerUser({ role: 'power' });
  for (const { role, own } of comers) if (!own) others.set(role, await system.app.registerUser({ role }));
});
afterAll(() => system.close());

const userOf = ({ role, own }: Comer): TestUser => (own ? owner : (others.get(role) as TestUser));

const call = (user: TestUser, method: string, path: string, body?: object): Promise<Answer> =>
  system.app.request(method, path, { token: user.accessToken, ...(body ? { body } : {}) });

async function setOwnerRole(role: Role): Promise<void> {
  if (role === ownerRole) return;
  expect((await call(admin, 'PATCH', `/users/${owner.user.id}`, { role })).status).toBe(200);
  ownerRole = role;
}

/** A new entry in that state. */
async function makeEntry(state: State): Promise<string> {
  await setOwnerRole('power');
  made += 1;
  const text = state === 'failed' ? new Uint8Array(64).map((_, n) => n * 37) : `The matter number ${made} of ${state}.`;
  const { status, body } = await system.upload(owner, { name: 'matter.txt', bytes: text });
  expect(status).toBe(202);
  const id: string = body.entry.id;
  await system.settled(owner, id);
  const step = async (path: string, body?: object): Promise<void> => {
    expect((await call(admin, 'POST', `/knowledge/${id}/${path}`, body)).status).toBe(200);
  };
  if (state === 'submitted' || state === 'rejected') await step('submit');
  if (state === 'rejected') await step('reject', { reason: 'not yet' });
  if (state === 'approved' || state === 'edited') await step('approve');
  if (state === 'edited') {
    const form = { name: 'matter.txt', bytes: `The newer matter ${made}.` };
    expect((await system.upload(owner, form, {}, id)).status).toBe(202);
    await system.settled(owner, id);
  }
  return id;
}

/** Sends it, and tells the status alone. */
async function attempt(user: TestUser, id: string, action: Action): Promise<number> {
  const url = `/knowledge/${id}${action.path}`;
  if (!('form' in action))
    return (await call(user, action.method, url, 'body' in action ? action.body : undefined)).status;
  const response = await fetch(`${system.app.url}/api/v1${url}`, {
    method: action.method,
    headers: { authorization: `Bearer ${user.accessToken}` },
    body: fileOf('Another file.'),
  });
  return response.status;
}

describe.each(states)('an entry that is %s', (state) => {
  it.each(comers)('answers to $role, own: $own', { timeout: 60_000 }, async (comer) => {
    const found: Record<string, number> = {};
    const wanted: Record<string, number> = {};
    for (const [name, action] of Object.entries(actions)) {
      const id = unchanged.get(state) ?? (await makeEntry(state));
      unchanged.set(state, id);
      // The role that its owner needed to make it may be lost since.
      await setOwnerRole(comer.own ? comer.role : 'power');
      wanted[name] = expected(comer, action, state);
      found[name] = await attempt(userOf(comer), id, action);
      if ((found[name] ?? 500) >= 300) continue;
      if ('keeps' in action) await system.settled(admin, id);
      else unchanged.delete(state);
    }
    expect(found).toEqual(wanted);
  });
});

describe.each(comers.filter(({ own }) => !own))('whoever is $role', (comer) => {
  const makes = comer.role === 'admin' || comer.role === 'power';

  it('makes entries, lists them and searches, or does not', async () => {
    const user = userOf(comer);
    const { status } = await call(user, 'POST', '/knowledge', { title: 'Mine', content: 'My text.' });
    const upload = await system.upload(user, { name: 'mine.txt', bytes: 'My file.' });
    expect([status, upload.status]).toEqual(makes ? [202, 202] : [403, 403]);
    const reads = comer.role !== 'guest' ? 200 : 403;
    expect((await call(user, 'GET', '/knowledge')).status).toBe(reads);
    expect((await call(user, 'GET', '/knowledge/search?q=text')).status).toBe(reads);
  });
});

it('readers find and list of others what was approved, and admins what is ready', { timeout: 60_000 }, async () => {
  for (const state of states) {
    const id = await makeEntry(state);
    await system.idle();
    for (const role of ['admin', 'power', 'regular'] as const) {
      const user = others.get(role) as TestUser;
      const shown = role === 'admin' || state === 'approved' || state === 'edited';
      const listed = await call(user, 'GET', '/knowledge?limit=100');
      const ids = listed.body.items.map((item: { id: string }) => item.id);
      expect(ids.includes(id), `${state} listed for ${role}`).toBe(shown);
      const hits = await system.search(user, `matter ${made}`, { limit: '100', mode: 'hybrid' });
      const ofIt = hits.filter(({ entryId }) => entryId === id);
      expect(ofIt.length > 0, `${state} found by ${role}`).toBe(shown && state !== 'failed');
      const version = role === 'admin' && state === 'edited' ? 2 : 1;
      for (const hit of ofIt) expect(hit.version).toBe(version);
    }
  }
});

it('a file of a version that is not shown is as little to be had as its text', async () => {
  const id = await makeEntry('edited');
  const statusOf = async (user: TestUser, n: number): Promise<number> =>
    (await call(user, 'GET', `/knowledge/${id}/file?version=${n}`)).status;
  for (const [role, user] of others) {
    const sees = [role !== 'guest', role === 'admin'].map((shown) => (shown ? 200 : 404));
    expect([await statusOf(user, 1), await statusOf(user, 2)], role).toEqual(sees);
  }
  expect([await statusOf(owner, 1), await statusOf(owner, 2)]).toEqual([200, 200]);
});

it('a file that could not be read is tried again by who may put it in, while it is there', async () => {
  const id = await makeEntry('failed');
  const { jobId } = (await call(owner, 'GET', `/knowledge/${id}`)).body.version;
  const retry = async (user: TestUser): Promise<unknown> => {
    const { status, body } = await call(user, 'POST', `/jobs/${jobId}/retry`);
    return status === 202 ? status : body.code;
  };
  const ended = () =>
    eventually(async () => expect((await call(admin, 'GET', `/jobs/${jobId}`)).body.state).toBe('failed'));
  await ended();
  for (const role of ['guest', 'regular'] as const) {
    await setOwnerRole(role);
    expect(await retry(owner)).toBe('not_found');
    expect((await call(owner, 'GET', `/jobs/${jobId}`)).body).toMatchObject({ state: 'failed', attempt: 1 });
  }
  expect(await retry(admin)).toBe(202);
  await ended();
  await setOwnerRole('power');
  expect(await retry(owner)).toBe(202);
  await ended();
  expect((await call(owner, 'DELETE', `/knowledge/${id}`)).status).toBe(204);
  expect(await retry(owner)).toBe('conflict');
});
