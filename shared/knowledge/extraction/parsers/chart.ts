import { lineOf } from '../table.js';
import { scanXml } from './xml.js';

type Series = { name: string; categories: string[]; values: string[] };

/** A chart can show more points than anybody reads. */
const maxPoints = 1_000;

/** What a chart of an office file says: the titles of it and of its axes, and its values as the rows of a table. */
export async function readChart(bytes: AsyncIterable<Buffer>): Promise<{ titles: string[]; rows: string[] }> {
  const titles: string[] = [];
  const series: Series[] = [];
  const path: string[] = [];
  let point = 0;
  let text = '';

  function keepValue(): void {
    const current = series.at(-1);
    if (!current || !path.includes('ser') || point >= maxPoints) return;
    if (path.includes('cat') || path.includes('xVal')) current.categories[point] = text;
    else if (path.includes('val') || path.includes('yVal')) current.values[point] = text;
    else if (path.includes('tx')) current.name = text;
  }

  await scanXml(bytes, {
    open(tag, { idx }) {
      path.push(tag);
      if (tag === 'ser') series.push({ name: '', categories: [], values: [] });
      else if (tag === 'title') titles.push('');
      else if (tag === 'pt') point = Number(idx) || 0;
      else if (tag === 'v') text = '';
    },
    text(some) {
      if (path.at(-1) === 'v') text += some;
      else if (path.at(-1) === 't' && path.includes('title')) titles.push(`${titles.pop() ?? ''}${some}`);
    },
    close(tag) {
      path.pop();
      if (tag === 'v') keepValue();
    },
  });

  const categories = series[0]?.categories ?? [];
  const points = Math.max(0, ...series.map(({ values }) => values.length));
  const rows = [series.map(({ name }) => name)].map((names) => lineOf(['', ...names]));
  for (let at = 0; at < points; at += 1) {
    rows.push(lineOf([categories[at] ?? '', ...series.map(({ values }) => values[at] ?? '')]));
  }
  return { titles: titles.filter((title) => title.trim()), rows: rows.filter(Boolean) };
}
