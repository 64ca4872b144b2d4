import type pg from 'pg';
import { epochMs, wait } from '../clock.js';
import { type AcceptedEntry, type NewFile, uploadFile } from '../knowledge/entries.js';
import { madeText } from '../knowledge/made-text.js';
import type { KnowledgeSetting } from '../knowledge/setting.js';
import type { Person } from '../people.js';

/** Characters: a page or two, of which nothing is known already. */
const characters = 4_000;

export const smallFile = (seed: number): NewFile => ({
  name: `${seed}.md`,
  bytes: Buffer.from(madeText(seed, characters)),
});

/** What became of single files, in milliseconds each. */
export type FileWaits = {
  /** From the 202 until it could be searched. */
  ready: number[];
  /** The part of it in which one of its jobs was not claimed yet: the lines of the queues. */
  queued: number[];
};

const pauseMs = 100;
const lookEveryMs = 5;
const limitMs = 120_000;

/** Uploads one file after another, each when the one before can be searched, while `goesOn` holds. */
export async function uploadSingleFiles(
  { stage, web }: KnowledgeSetting,
  person: Person,
  firstSeed: number,
  goesOn: (done: number) => boolean,
): Promise<FileWaits> {
  const ready: number[] = [];
  const versionIds: string[] = [];
  while (goesOn(ready.length)) {
    const accepted = await uploadFile(web, person, smallFile(firstSeed + ready.length));
    ready.push((await untilReady(stage.sql, accepted)) - accepted.at);
    versionIds.push(accepted.versionId);
    await wait(pauseMs);
  }
  return { ready, queued: await queuedFor(stage.sql, versionIds) };
}

async function queuedFor(sql: pg.Pool, versionIds: string[]): Promise<number[]> {
  const { rows } = await sql.query<{ ms: number }>(
    `SELECT (sum(extract(epoch FROM started_at - created_at)) * 1000)::float8 AS ms FROM jobs
     WHERE subject_id = ANY($1::uuid[]) GROUP BY subject_id`,
    [versionIds],
  );
  return rows.map(({ ms }) => ms);
}

/** @returns when it became ready by the clock of Postgres, which is that of this machine, in epoch milliseconds. */
async function untilReady(sql: pg.Pool, { versionId, at }: AcceptedEntry): Promise<number> {
  for (;;) {
    const { rows } = await sql.query<{ state: string; readyAt: number }>({
      name: 'is-ready',
      text: `SELECT state, (extract(epoch FROM ready_at) * 1000)::float8 AS "readyAt" FROM knowledge_versions WHERE id = $1`,
      values: [versionId],
    });
    if (rows[0]?.state === 'ready') return rows[0].readyAt;
    if (rows[0]?.state === 'failed' || epochMs() - at > limitMs) {
      throw new Error(`A single file did not become ready: ${JSON.stringify(rows[0])}`);
    }
    await wait(lookEveryMs);
  }
}
