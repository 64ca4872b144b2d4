import * as Y from 'yjs';
import { createClient, createDocumentProvider, type Client, type DocumentProvider } from '../../shared/client/index.js';
import type { TestApp, TestUser } from './app.js';

/** A person with a document open through the product's own client. */
export type Editor = { client: Client; provider: DocumentProvider; doc: Y.Doc; text: Y.Text; close(): void };

/** Opens a document and waits until it is here. */
export async function openEditor(
  app: Pick<TestApp, 'url'>,
  user: Pick<TestUser, 'accessToken'>,
  documentId: string,
  doc = new Y.Doc(),
): Promise<Editor> {
  const client = createClient({ url: app.url, token: user.accessToken });
  const provider = createDocumentProvider(client, documentId, doc);
  const close = (): void => {
    provider.destroy();
    client.close();
  };
  await provider.whenSynced();
  return { client, provider, doc, text: doc.getText('content'), close };
}

/** Makes a document. @returns its id. */
export async function makeDocument(app: TestApp, owner: TestUser, body: object = { title: 'Test' }): Promise<string> {
  const answer = await app.request('POST', '/documents', { token: owner.accessToken, body });
  if (answer.status !== 201)
    throw new Error(`POST /documents answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body.id as string;
}

/** Lets somebody read or edit a document. */
export async function share(
  app: TestApp,
  owner: TestUser,
  documentId: string,
  user: TestUser,
  level: 'view' | 'edit' = 'edit',
): Promise<void> {
  const path = `/documents/${documentId}/access/${user.user.id}`;
  const { status } = await app.request('PUT', path, { token: owner.accessToken, body: { level } });
  if (status !== 200) throw new Error(`PUT ${path} answered ${status}`);
}

/** The text as it is stored. */
export async function storedText(app: TestApp, user: TestUser, documentId: string): Promise<string> {
  const { body } = await app.request('GET', `/documents/${documentId}`, { token: user.accessToken });
  return body.content as string;
}
