import { epochMs } from '../clock.js';
import type { Person } from '../people.js';
import type { Web } from '../stage/stage.js';

/** A file to be uploaded. */
export type NewFile = { name: string; bytes: Buffer };

/** What was answered when an entry was accepted, and when, in epoch milliseconds. */
export type AcceptedEntry = { id: string; versionId: string; at: number };

/** Makes an entry from text. @throws when it is not accepted. */
export function writeEntry(
  web: Web,
  { token }: Person,
  entry: { title: string; content: string },
): Promise<AcceptedEntry> {
  const headers = { 'content-type': 'application/json' };
  return accepted(web, '/knowledge', token, { headers, body: JSON.stringify(entry) });
}

/** Makes an entry from a file. @throws when it is not accepted. */
export function uploadFile(web: Web, { token }: Person, { name, bytes }: NewFile): Promise<AcceptedEntry> {
  const form = new FormData();
  form.set('file', new Blob([bytes]), name);
  return accepted(web, '/knowledge/files', token, { body: form });
}

/** Shows the newest version of an entry to everybody. @throws when that is refused. */
export async function approveEntry(web: Web, { token }: Person, entryId: string): Promise<void> {
  await post(web, `/knowledge/${entryId}/approve`, token, {});
}

async function accepted(web: Web, path: string, token: string, init: RequestInit): Promise<AcceptedEntry> {
  const response = await post(web, path, token, init);
  const at = epochMs();
  const { entry } = (await response.json()) as { entry: { id: string; version: { id: string } } };
  return { id: entry.id, versionId: entry.version.id, at };
}

async function post(web: Web, path: string, token: string, init: RequestInit): Promise<Response> {
  const response = await fetch(`${web.url}/api/v1${path}`, {
    ...init,
    method: 'POST',
    headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` },
  });
  if (!response.ok) throw new Error(`POST ${path} was answered ${response.status}: ${await response.text()}`);
  return response;
}
