import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { contentOf } from './log.js';
import { indexText } from './text-index.js';

test('each place of a text in many pieces has the character that Yjs finds there', () => {
  const doc = new Y.Doc();
  const text = contentOf(doc);
  for (let count = 0; count < 50; count += 1) text.insert((count * 7) % (text.length + 1), `${count}\u{1F600} `);
  for (let count = 0; count < 20; count += 1) text.delete((count * 11) % text.length, 1);
  const { content, idAt } = indexText(text);
  expect(content).toBe(text.toString());
  for (let place = 0; place < content.length; place += 1) {
    expect(idAt(place)).toEqual(Y.createRelativePositionFromTypeIndex(text, place).item);
  }
  expect([idAt(-1), idAt(content.length)]).toEqual([null, null]);
  expect(indexText(contentOf(new Y.Doc())).idAt(0)).toBeNull();
});
