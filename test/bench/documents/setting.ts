import { readFileSync } from 'node:fs';
import { makePeople } from '../people.js';
import type { Seat } from '../processes/document-editors.js';
import type { Web } from '../stage/stage.js';

/** Calls the API of a web process. @throws when it answers with an error. */
export async function call<T>(url: string, token: string, method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** People who sit at the web processes in turn; the first of them owns the documents. */
export async function seatPeople(webs: Web[], count: number): Promise<(Seat & { userId: string })[]> {
  const people = await makePeople(webs[0]?.url ?? '', count, 0);
  return people.map(({ token, userId }, index) => ({ url: webs[index % webs.length]?.url ?? '', token, userId }));
}

/** A document that all of them may edit. @returns its id. */
export async function openDocument(seats: (Seat & { userId: string })[]): Promise<string> {
  const [owner, ...others] = seats;
  if (!owner) throw new Error('Nobody is there.');
  const { id } = await call<{ id: string }>(owner.url, owner.token, 'POST', '/documents', { title: 'Bench' });
  for (const { userId } of others) {
    await call(owner.url, owner.token, 'PUT', `/documents/${id}/access/${userId}`, { level: 'edit' });
  }
  return id;
}

/** The text as Postgres has it. */
export async function storedText({ url, token }: Seat, documentId: string): Promise<string> {
  return (await call<{ content: string }>(url, token, 'GET', `/documents/${documentId}`)).content;
}

/** Resident memory of a process, in megabytes. */
export function residentMb(pid: number): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kb) / 1024;
}
