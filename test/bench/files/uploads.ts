import { wait } from '../clock.js';
import type { KnowledgeSetting } from '../knowledge/setting.js';
import type { Ending } from './samples.js';

const everyMs = 250;
const sayEveryMs = 20_000;

/** @returns the id of the new entry. @throws when the file is not accepted. */
export async function upload({ web, admin }: KnowledgeSetting, name: string, bytes: Blob): Promise<string> {
  const form = new FormData();
  form.set('file', bytes, name);
  const response = await fetch(`${web.url}/api/v1/knowledge/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin.token}` },
    body: form,
  });
  if (response.status !== 202) throw new Error(`${name} was answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { entry: { id: string } }).entry.id;
}

/** How the first version of an entry ended, as its owner is told, with the text that was found in it. */
export async function endingOf(
  { web, admin, stage }: KnowledgeSetting,
  entryId: string,
  limitMs: number,
  say: (line: string) => void = () => {},
): Promise<Ending> {
  let saidAt = performance.now();
  for (const deadline = performance.now() + limitMs; performance.now() < deadline; await wait(everyMs)) {
    const response = await fetch(`${web.url}/api/v1/knowledge/${entryId}`, {
      headers: { authorization: `Bearer ${admin.token}` },
    });
    const { version } = (await response.json()) as {
      version: Omit<Ending, 'text'> & { id: string; progress: unknown };
    };
    if (version.state !== 'ingesting') return { ...version, text: await textOf(stage.sql, version.id) };
    if (performance.now() - saidAt < sayEveryMs) continue;
    saidAt = performance.now();
    say(JSON.stringify(version.progress));
  }
  return { state: 'not ended', error: null, text: '' };
}

/** At most so many passages are put together: what is looked for stands at the beginning. */
const maxPassages = 5_000;

/** The text that passages were cut from, as far as they have it: they overlap, and leave out what is empty. */
async function textOf(sql: KnowledgeSetting['stage']['sql'], versionId: string): Promise<string> {
  const { rows } = await sql.query<{ text: string; start: number; end: number }>(
    `SELECT text, char_start AS start, char_end AS end FROM knowledge_chunks WHERE version_id = $1 AND index < ${maxPassages}
     ORDER BY index`,
    [versionId],
  );
  const pieces: string[] = [];
  let end = 0;
  for (const passage of rows) {
    pieces.push(passage.start > end ? ' ' : '', passage.text.slice(Math.max(0, end - passage.start)));
    end = Math.max(end, passage.end);
  }
  return pieces.join('');
}

/** How many passages have the word. */
export async function hits({ web, admin }: KnowledgeSetting, word: string): Promise<number> {
  const response = await fetch(`${web.url}/api/v1/knowledge/search?q=${word}&mode=sparse`, {
    headers: { authorization: `Bearer ${admin.token}` },
  });
  if (!response.ok) throw new Error(`Searching was answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { items: unknown[] }).items.length;
}
