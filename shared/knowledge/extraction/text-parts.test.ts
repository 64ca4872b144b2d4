import { expect, it } from 'vitest';
import type { ExtractedPart, ResumePoint } from './part.js';
import { partsOfText } from './text-parts.js';

async function partsOf(content: string, from?: ResumePoint): Promise<ExtractedPart[]> {
  const parts: ExtractedPart[] = [];
  for await (const part of partsOfText(content, from)) parts.push(part);
  return parts;
}

it('follows the headings of Markdown, but not those in code and front matter', async () => {
  const parts = await partsOf(
    '---\ntitle: x\n---\n# Guide\nHello\n\n```\n# no heading\n```\n\n## *Install* it\nRun [npm](https://x)\n\nUsage\n---\nUse it\n\n#\nThe end\n',
  );
  expect(parts.map(({ headingPath }) => headingPath)).toEqual([
    [],
    ['Guide'],
    ['Guide', 'Install it'],
    ['Guide', 'Usage'],
    [],
  ]);
  expect(parts[1]?.text).toContain('# no heading');
});

it('gives parts whose places follow one another, and nothing that Postgres refuses', async () => {
  const parts = await partsOf(`a\u0000b\r\nc\ud800d\u00a0e\n\n\n\nf ${'word '.repeat(40_000)}`);
  const text = parts.map((part) => part.text).join('');
  expect(text.startsWith('ab\nc\ufffdd e\n\nf word')).toBe(true);
  let char = 0;
  for (const part of parts) {
    expect(part).toMatchObject({ charStart: char, charEnd: char + part.text.length });
    expect(part.text.length).toBeLessThanOrEqual(64 * 1024);
    char = part.charEnd;
  }
  expect(parts.length).toBeGreaterThan(3);
});

it('goes on behind any part', async () => {
  const content = `# One\n${'word '.repeat(30_000)}\n# Two\nend`;
  const parts = await partsOf(content);
  for (const { part, resume } of parts) expect(await partsOf(content, resume)).toEqual(parts.slice(part + 1));
});

it('takes no time for a long run of spaces, which would hold up everything else', async () => {
  const before = performance.now();
  expect((await partsOf(`a${' '.repeat(400_000)}b`)).length).toBeGreaterThan(0);
  expect(performance.now() - before).toBeLessThan(5_000);
});
