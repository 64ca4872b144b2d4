import { randomUUID } from 'node:crypto';
import { severalAtOnce } from './several.js';

/** Somebody who is signed in, with conversations of their own. */
export type Person = { userId: string; token: string; conversationIds: string[] };

const atOnce = 8;

/** Registers people over the API and opens conversations for each. */
export function makePeople(webUrl: string, count: number, conversationsEach = 1): Promise<Person[]> {
  return severalAtOnce(Array.from({ length: count }), atOnce, () => makePerson(webUrl, conversationsEach));
}

async function makePerson(webUrl: string, conversations: number): Promise<Person> {
  const account = { email: `${randomUUID()}@example.com`, name: 'Ada', password: 'correct horse battery' };
  const signedIn = await post<{ user: { id: string }; accessToken: string }>(webUrl, '/auth/register', null, account);
  const token = signedIn.accessToken;
  return { userId: signedIn.user.id, token, conversationIds: await openConversations(webUrl, token, conversations) };
}

/** Opens conversations of somebody who is there already. @returns their ids. */
export function openConversations(webUrl: string, token: string, count: number): Promise<string[]> {
  return severalAtOnce(Array.from({ length: count }), atOnce, async () => {
    const { id } = await post<{ id: string }>(webUrl, '/conversations', token, { title: 'Bench' });
    return id;
  });
}

/** Posts a message that Claude replies to. */
export async function postMessage(
  webUrl: string,
  token: string,
  conversationId: string,
  content: string,
): Promise<{ messageId: string; replyId: string; jobId: string }> {
  const posted = await post<{ message: { id: string }; reply: { id: string }; jobId: string }>(
    webUrl,
    `/conversations/${conversationId}/messages`,
    token,
    { content },
  );
  return { messageId: posted.message.id, replyId: posted.reply.id, jobId: posted.jobId };
}

async function post<T>(webUrl: string, path: string, token: string | null, body: object): Promise<T> {
  const response = await fetch(`${webUrl}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${path} was answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
