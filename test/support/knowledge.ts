import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { EntryView } from '../../shared/knowledge/entry.js';
import type { KnowledgeHit } from '../../shared/knowledge/hit.js';
import type { Answer, TestUser } from './app.js';
import { eventually } from './eventually.js';
import { testQdrant, type TestQdrant } from './qdrant.js';
import { startTestSystem, type TestSystem } from './system.js';

/** Web and workers with a vector store and a folder for files of their own. */
export type KnowledgeSystem = TestSystem & {
  qdrant: Pick<TestQdrant, 'url'> & { collection: string };
  storage: string;
  /** What sets its processes apart from those of other tests. */
  env: Record<string, string>;
  /** A new entry from text. */
  write(user: TestUser, entry: { title?: string; content: string; tags?: string[] }): Promise<EntryView>;
  upload(
    user: TestUser,
    file: { name: string; bytes: Uint8Array | string },
    fields?: Record<string, string>,
    /** Whose next version the file is; a new entry's unless given. */
    entryId?: string,
  ): Promise<Answer>;
  /** The entry once its newest version is ready or has failed. */
  settled(user: TestUser, entryId: string, timeoutMs?: number): Promise<EntryView>;
  /** By words alone unless told: by meaning everything is found. */
  search(user: TestUser, q: string, query?: Record<string, string>): Promise<KnowledgeHit[]>;
  post(user: TestUser, path: string, body?: object): Promise<Answer>;
  /** Waits until no job is left to do. */
  idle(timeoutMs?: number): Promise<void>;
  /** Names of the stored objects. */
  objects(): Promise<string[]>;
};

type Options = Parameters<typeof startTestSystem>[0] & { qdrantUrl?: string };

export async function startKnowledgeSystem(options: Options = {}): Promise<KnowledgeSystem> {
  const shared = await testQdrant();
  const qdrant = { url: options.qdrantUrl ?? shared.url, collection: shared.collection };
  const storage = await mkdtemp(path.join(tmpdir(), 'millrace-storage-'));
  const env = {
    STORAGE: storage,
    QDRANT_URL: qdrant.url,
    QDRANT_COLLECTION: qdrant.collection,
    QDRANT_VECTOR_SIZE: '256',
    ...(shared.apiKey ? { QDRANT_API_KEY: shared.apiKey } : {}),
    ...options.env,
  };
  const system = await startTestSystem({ ...options, env });
  const { app } = system;
  const get = (user: TestUser, url: string): Promise<Answer> => app.request('GET', url, { token: user.accessToken });

  return {
    ...system,
    qdrant,
    storage,
    env,
    post: (user, url, body) => app.request('POST', url, { token: user.accessToken, ...(body ? { body } : {}) }),
    async write(user, { title = 'An entry', content, tags = [] }) {
      const { status, body } = await app.request('POST', '/knowledge', {
        token: user.accessToken,
        body: { title, content, tags },
      });
      if (status !== 202) throw new Error(`writing answered ${status}: ${JSON.stringify(body)}`);
      return body.entry;
    },
    async upload(user, { name, bytes }, fields = {}, entryId) {
      const form = new FormData();
      for (const [field, value] of Object.entries(fields)) form.set(field, value);
      form.set('file', new Blob([typeof bytes === 'string' ? bytes : Buffer.from(bytes)]), name);
      const response = await fetch(`${app.url}/api/v1/knowledge/${entryId ? `${entryId}/file` : 'files'}`, {
        method: entryId ? 'PUT' : 'POST',
        headers: { authorization: `Bearer ${user.accessToken}` },
        body: form,
      });
      return { status: response.status, headers: response.headers, body: await response.json() };
    },
    async settled(user, entryId, timeoutMs = 60_000) {
      await eventually(
        async () => {
          const { rows } = await app.ctx.database.query<{ state: string }>(
            'SELECT state FROM knowledge_versions WHERE entry_id = $1 ORDER BY n DESC LIMIT 1',
            [entryId],
          );
          if (rows[0]?.state === 'ingesting') throw new Error('still ingesting');
        },
        { timeout: timeoutMs },
      );
      return (await get(user, `/knowledge/${entryId}`)).body as EntryView;
    },
    async search(user, q, query = {}) {
      const { status, body } = await get(
        user,
        `/knowledge/search?${new URLSearchParams({ q, mode: 'sparse', ...query }).toString()}`,
      );
      if (status !== 200) throw new Error(`searching answered ${status}: ${JSON.stringify(body)}`);
      return body.items;
    },
    idle: (timeoutMs = 60_000) =>
      eventually(
        async () => {
          const { rows } = await app.ctx.database.query(
            `SELECT kind, state, error FROM jobs WHERE state IN ('pending', 'queued', 'running') LIMIT 3`,
          );
          if (rows.length > 0) throw new Error(`still to do: ${JSON.stringify(rows)}`);
        },
        { timeout: timeoutMs },
      ),
    async objects() {
      const names = await readdir(storage, { recursive: true, withFileTypes: true });
      return names.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
    async close() {
      await system.close();
      if (!options.qdrantUrl) await shared.drop();
      await rm(storage, { recursive: true, force: true });
    },
  };
}
