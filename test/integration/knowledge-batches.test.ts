import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startKnowledgeSystem } from '../support/knowledge.js';

/** Markdown that makes more than 400 passages, no two the same. */
const text = Array.from({ length: 400 }, (_, n) => `## Page ${n}\n\n${`heronword${n} stands here again. `.repeat(50)}`);

describe('the way into the index', () => {
  it('has one batch of a file under way in each stage, which is what a killed worker costs', async () => {
    const system = await startKnowledgeSystem({ workers: 0 });
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    try {
      const user = await system.app.registerUser({ role: 'power' });
      let given = 0;
      let upserts = 0;
      let mostUpserts = 0;
      await system.startWorker({
        wrap: (ctx) => ({
          ...ctx,
          embedder: {
            ...ctx.embedder,
            async embed(texts, kind, signal) {
              given += texts.length;
              await released;
              return ctx.embedder.embed(texts, kind, signal);
            },
          },
          vectors: {
            ...ctx.vectors,
            async upsert(points) {
              const ofFile = points.length > 1;
              if (ofFile) mostUpserts = Math.max(mostUpserts, (upserts += 1));
              await ctx.vectors.upsert(points);
              if (ofFile) upserts -= 1;
            },
          },
        }),
      });
      const other = await system.app.registerUser({ role: 'power' });
      const { body } = await system.upload(user, { name: 'pages.md', bytes: text.join('\n\n') });
      await eventually(
        async () => {
          const { rows } = await system.app.ctx.database.query(
            `SELECT 1 FROM jobs WHERE kind = 'embed-chunks' AND state = 'pending'`,
          );
          expect(rows.length).toBeGreaterThan(1);
          expect(given).toBeGreaterThan(0);
        },
        { timeout: 20_000, interval: 20 },
      );
      // Jobs of this later file are given out after those that wait: when it is embedded, they have been passed over.
      await system.write(other, { content: 'The ibisword stands alone.' });
      await eventually(() => expect(given % 128).not.toBe(0), { timeout: 20_000, interval: 20 });
      expect(given).toBe(128 + 1);
      release();
      expect((await system.settled(user, body.entry.id, 30_000)).version.state).toBe('ready');
      expect(mostUpserts).toBe(1);
    } finally {
      release();
      await system.close();
    }
  });
});
