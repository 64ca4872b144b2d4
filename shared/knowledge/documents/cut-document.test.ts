import { describe, expect, it } from 'vitest';
import { cutDocument } from './cut-document.js';

const sentence = 'The river flows to the sea, and nobody has ever asked it why it does that. ';

describe('the passages of a document', () => {
  it.each([
    [
      'headings, paragraphs and empty lines',
      `\n\n# One\n\n\n\n${sentence.repeat(20)}\n\n\n## Two  \n\n${sentence.repeat(30)}`,
    ],
    ['ends of lines of other systems', `# One\r\n\r\n${`${sentence}\r\n`.repeat(60)}\r\rTwo\u2028Three`],
    ['signs without a shape', `\ufeffA soft\u00adhyphen, a\u200bspace.\u0000 ${'\u0007bell '.repeat(400)}`],
    ['halves of surrogate pairs', `${sentence}\ud800 alone \udc00 ${'😀 𠀀'.repeat(2_000)}`],
    ['one endless line', `${'ab '.repeat(30_000)}😀${'cd '.repeat(30_000)}`],
    ['one endless word', `x${'😀'.repeat(70_000)}`],
    ['Japanese', '吾輩は猫である。　名前はまだ無い。\u00a0'.repeat(300)],
  ])('with %s say where they are in the text that people edit', async (_, content) => {
    const passages = await cutDocument(content);
    let covered = 0;
    for (const { text, charStart, charEnd } of passages) {
      // Postgres takes neither NUL nor halves of pairs.
      expect(text).toBe(content.slice(charStart, charEnd).replaceAll(/[\0\p{Cs}]/gu, '\ufffd'));
      expect(text.length).toBeLessThan(4_000);
      const skipped = content.slice(covered, Math.max(covered, charStart));
      expect(skipped).toMatch(/^[\s\p{Cc}\p{Cf}]*$/u);
      covered = charEnd;
    }
    expect(content.slice(covered).trim()).toBe('');
    expect(passages.length).toBeGreaterThan(0);
  });

  it('are none of a text without words', async () => {
    expect(await cutDocument('')).toEqual([]);
    expect(await cutDocument(' \r\n\n\u200b\ufeff ')).toEqual([]);
  });

  it('stay the same before and behind an edit', async () => {
    const section = (n: number): string => `## Part ${n}\n\n${`Word ${n} stands here. `.repeat(90)}\n\n`;
    const parts = Array.from({ length: 20 }, (_, n) => section(n));
    const before = await cutDocument(parts.join(''));
    const after = await cutDocument([...parts.slice(0, 10), section(99), ...parts.slice(10)].join(''));
    const known = new Set(before.map(({ text }) => text));
    expect(after.filter(({ text }) => !known.has(text)).length).toBeLessThanOrEqual(4);
  });
});
