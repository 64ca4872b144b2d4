import { describe, expect, it } from 'vitest';
import type { ExtractedPart } from '../extraction/part.js';
import { partsOfText } from '../extraction/text-parts.js';
import { type Checkpoint, type Chunk, chunk } from './chunk.js';

const sentence = 'The river flows to the sea, and nobody has ever asked it why it does that. ';

async function chunksOf(
  parts: AsyncIterable<ExtractedPart>,
  since?: Pick<Checkpoint, 'chunks' | 'language'>,
): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const one of chunk(parts, since)) chunks.push(one);
  return chunks;
}

async function textOf(content: string): Promise<string> {
  let text = '';
  for await (const part of partsOfText(content)) text += part.text;
  return text;
}

async function* pages(...texts: string[]): AsyncGenerator<ExtractedPart> {
  let charStart = 0;
  for (const [part, text] of texts.entries()) {
    const charEnd = charStart + text.length;
    const resume = { part: part + 1, char: charEnd, page: part + 2 };
    yield { part, page: part + 1, headingPath: [], text, charStart, charEnd, done: 1, resume };
    charStart = charEnd;
  }
}

describe('chunks', () => {
  it.each([
    ['running text', sentence.repeat(300)],
    ['paragraphs', `${sentence.repeat(4)}\n\n`.repeat(60)],
    ['one endless word', 'x'.repeat(200_000)],
    ['Japanese without spaces', '吾輩は猫である。名前はまだ無い。'.repeat(400)],
    ['characters outside of the basic plane', '𠀀😀'.repeat(5_000)],
    ['rows', 'name | 12 | Inc. and so on\n'.repeat(500)],
  ])('of %s are slices of the text, cover it, and are of bounded length', async (_, content) => {
    const text = await textOf(content);
    const chunks = await chunksOf(partsOfText(content));
    let covered = 0;
    for (const [index, one] of chunks.entries()) {
      expect(one.index).toBe(index);
      expect(text.slice(one.charStart, one.charEnd)).toBe(one.text);
      expect(one.text.length).toBeLessThanOrEqual(1_500);
      expect(one.text).toBe(one.text.trim());
      expect(one.text).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/);
      expect(text.slice(covered, Math.max(covered, one.charStart)).trim()).toBe('');
      covered = one.charEnd;
    }
    expect(text.slice(covered).trim()).toBe('');
    expect(await chunksOf(partsOfText(content))).toEqual(chunks);
  });

  it('begin and end at sentences, and repeat the last one', async () => {
    const chunks = await chunksOf(partsOfText(sentence.repeat(60)));
    expect(chunks.length).toBeGreaterThan(3);
    for (const { text } of chunks) expect(text).toMatch(/^The river.*that\.$/);
    expect(chunks[1]?.charStart).toBeLessThan(chunks[0]?.charEnd ?? 0);
  });

  it('are shorter for scripts with a token per character', async () => {
    const chunks = await chunksOf(partsOfText('我们的公司在北京，主要做软件。'.repeat(200)));
    expect(Math.max(...chunks.map(({ text }) => text.length))).toBeLessThanOrEqual(600);
    expect(chunks[0]?.language).toBe('zh');
  });

  it('stay on their page', async () => {
    const chunks = await chunksOf(pages('Short one.\n\n', `${sentence.repeat(40)}\n\n`, 'Last.\n\n'));
    expect(chunks.map(({ page }) => page)).toEqual([1, 2, 2, 2, 3]);
    expect(chunks.every(({ text }) => !text.includes('Short one. The'))).toBe(true);
  });

  it('gather short sections and say what headings they share', async () => {
    const content = `# Log\n\n## One\n- fixed a\n\n## Two\n- fixed b\n\n## Three\n${sentence.repeat(30)}`;
    const chunks = await chunksOf(partsOfText(content));
    expect(chunks[0]?.text).toContain('fixed a');
    expect(chunks[0]?.text).toContain('fixed b');
    expect(chunks.at(-1)?.headingPath).toEqual(['Log', 'Three']);
  });

  it('are the same when reading goes on from a checkpoint', async () => {
    const content = Array.from({ length: 80 }, (_, at) => `## Part ${at}\n${sentence.repeat((at * 7) % 30)}`).join(
      '\n\n',
    );
    const chunks = await chunksOf(partsOfText(content));
    const checkpoints = chunks.flatMap(({ checkpoint }) => (checkpoint ? [checkpoint] : []));
    expect(checkpoints.length).toBeGreaterThan(20);
    for (const checkpoint of checkpoints) {
      const rest = chunksOf(after(partsOfText(content), checkpoint.resume.part), checkpoint);
      expect(await rest).toEqual(chunks.slice(checkpoint.chunks));
    }
  });
});

async function* after(parts: AsyncIterable<ExtractedPart>, first: number): AsyncGenerator<ExtractedPart> {
  for await (const part of parts) if (part.part >= first) yield part;
}
