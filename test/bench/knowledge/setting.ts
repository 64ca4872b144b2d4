import { makePeople, type Person } from '../people.js';
import type { BenchProcess } from '../stage/process.js';
import type { Stage, Web } from '../stage/stage.js';
import type { VectorServer } from '../stage/vector-server.js';

/** A web and a worker process with a knowledge store, and the people who use it. */
export type KnowledgeSetting = {
  stage: Stage;
  web: Web;
  worker: BenchProcess;
  vectors: VectorServer;
  /** Settings of the product's processes, for helpers that do the same without them. */
  env: Record<string, string>;
  admin: Person;
  /** May put knowledge in. */
  authors: Person[];
  /** May read what is approved. */
  reader: Person;
};

/** @param env settings beyond those that a newcomer has. */
export async function startKnowledge(
  stage: Stage,
  { authors: count = 1, env: given = {} }: { authors?: number; env?: Record<string, string> } = {},
): Promise<KnowledgeSetting> {
  const { vectors } = stage;
  const env = { ...vectors.env, ...given };
  const web = await stage.startWeb(env);
  const worker = await stage.startWorker(env);
  // The first one is admin.
  const [admin] = await makePeople(web.url, 1, 0);
  const [reader, ...authors] = await makePeople(web.url, count + 1, 0);
  if (!admin || !reader) throw new Error('There are no people.');
  for (const { userId } of authors) await setRole(web, admin, userId, 'power');
  return { stage, web, worker, vectors, env, admin, authors, reader };
}

async function setRole(web: Web, admin: Person, userId: string, role: string): Promise<void> {
  const response = await fetch(`${web.url}/api/v1/users/${userId}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${admin.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ role }),
  });
  if (!response.ok) throw new Error(`The role was not changed: ${response.status} ${await response.text()}`);
}
