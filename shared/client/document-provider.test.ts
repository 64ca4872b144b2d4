import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import type * as Yjs from 'yjs';
import { createClient } from './client.js';
import { createDocumentProvider } from './document-provider.js';

test('a Y.Doc of another copy of Yjs is refused at once: it would take edits and never show them', () => {
  // As CommonJS it is a copy of its own, like one of a second node_modules in a bundle.
  const other = createRequire(import.meta.url)('yjs') as typeof Yjs;
  const client = createClient({ url: 'http://127.0.0.1:9', token: 'none' });
  expect(() => createDocumentProvider(client, 'an id', new other.Doc())).toThrow('another copy of Yjs');
  client.close();
});
