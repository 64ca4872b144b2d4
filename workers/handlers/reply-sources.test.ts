import { expect, it } from 'vitest';
import { toSources } from './reply-sources.js';

it('names a passage by its title and headings, cut between two characters', () => {
  const place = { page: null, sheet: null, slide: null, charStart: 0, charEnd: 4, language: 'en' };
  const entry = { kind: 'entry', entryId: 'e', versionId: 'v', version: 1, documentId: null, seq: null } as const;
  const found = { text: 'Text', score: 1, tags: [], chunk: 0, fileName: null };
  const titleOf = (title: string, headingPath: string[]) =>
    toSources([{ ...entry, ...found, ...place, title, headingPath }])[0]?.title;
  expect(titleOf('Mills', ['Wheels', 'Races'])).toBe('Mills › Wheels › Races');
  expect(titleOf('a', ['🙂'.repeat(300)])).toBe(`a › ${'🙂'.repeat(248)}`);
  expect(titleOf('ab', ['🙂'.repeat(300)])).toBe(`ab › ${'🙂'.repeat(247)}`);
});
