import { startTestApp, type TestApp, type TestUser } from './app.js';
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.js';
import { type Editor, makeDocument, openEditor, share } from './documents.js';

/** Two people and a server, and a way to it that can be cut. */
export type DocumentStage = {
  app: TestApp;
  way: CuttingProxy;
  ada: TestUser;
  ben: TestUser;
  /** Closed at the end of each test. */
  editors: Editor[];
  /** Ada beside the server, and Ben by the way that can be cut, in one document. */
  scene(): Promise<{ id: string; a: Editor; b: Editor }>;
  close(): Promise<void>;
};

export async function startDocumentStage(): Promise<DocumentStage> {
  const app = await startTestApp();
  const way = await startCuttingProxy([app.url]);
  const ada = await app.registerUser({ name: 'Ada' });
  const ben = await app.registerUser({ name: 'Ben' });
  const editors: Editor[] = [];
  return {
    app,
    way,
    ada,
    ben,
    editors,
    async scene() {
      const id = await makeDocument(app, ada);
      await share(app, ada, id, ben);
      const [a, b] = await Promise.all([openEditor(app, ada, id), openEditor(way, ben, id)]);
      editors.push(a, b);
      return { id, a, b };
    },
    async close() {
      await way.close();
      await app.close();
    },
  };
}
