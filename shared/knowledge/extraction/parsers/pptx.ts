import { ExtractionFailed } from '../failure.js';
import type { Piece } from '../piece.js';
import { readChart } from './chart.js';
import { embeddedPieces } from './embedded.js';
import type { Source } from './parser.js';
import { mainPartOf, referenceOf, relationsOf } from './relations.js';
import { readSlide } from './slide.js';
import { scanXml } from './xml.js';
import { type Archive, openArchive } from './zip.js';

/** A presentation slide by slide, with tables, diagrams, charts, comments, the speaker's notes and embedded files. */
export async function* readPptx({ path, limits, onPages, readInner }: Source): AsyncGenerator<Piece> {
  const archive = await openArchive(path, limits.inflatedBytes);
  try {
    const slides = await slidesOf(archive);
    onPages(slides.length);
    if (slides.length > limits.pages) {
      throw new ExtractionFailed(
        'too_many_pages',
        `The file has ${slides.length} slides; ${limits.pages} are allowed.`,
      );
    }
    for (const [index, name] of slides.entries()) {
      const { title, lines, objects } = await readSlide(archive.read(name));
      const relations = await relationsOf(archive, name);
      for (const { type, target } of relations) {
        if (!archive.has(target)) continue;
        if (type === 'chart') {
          const chart = await readChart(archive.read(target));
          lines.push(...chart.titles, ...chart.rows);
        }
        if (!/^(notesSlide|diagramData|comments)$/.test(type)) continue;
        const more = await readSlide(archive.read(target));
        if (type === 'notesSlide' && more.lines.length > 0) lines.push('Notes:');
        if (type === 'comments' && more.lines.length > 0) lines.push('Comments:');
        lines.push(...more.lines);
      }
      const place = { slide: index + 1 };
      const headingPath = title ? [title] : [];
      const done = (index + 1) / slides.length;
      yield { ...place, headingPath, text: lines.join('\n'), done };
      const found = embeddedPieces(archive, { objects, relations }, { readInner, above: headingPath, place });
      for await (const piece of found) yield { ...piece, done };
    }
  } finally {
    archive.close();
  }
}

/** The names of the slides in the order in which they are shown. */
async function slidesOf(archive: Archive): Promise<string[]> {
  const main = await mainPartOf(archive, 'ppt/presentation.xml', 'PowerPoint');
  const targets = new Map((await relationsOf(archive, main)).map(({ id, target }) => [id, target]));
  const slides: string[] = [];
  await scanXml(archive.read(main), {
    open: (tag, attributes) => {
      const target = tag === 'sldId' ? targets.get(referenceOf(attributes)) : undefined;
      if (target && archive.has(target)) slides.push(target);
    },
  });
  return slides;
}
