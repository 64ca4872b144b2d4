import type { TextItem } from './pdf-item.js';

/**
 * Turns what is written upwards or downwards, as a wide table on a narrow page, so that its lines lie: else each cell of
 * a row is on another line.
 */
export function turnUpright(items: readonly TextItem[]): TextItem[] {
  return items.map((item) => {
    const [a = 0, b = 0, c = 0, d = 0, x = 0, y = 0] = item.transform;
    if (Math.abs(b) <= Math.abs(a) * 10 || Math.abs(c) <= Math.abs(d) * 10) return item;
    const upwards = b > 0;
    return { ...item, transform: [Math.abs(b), 0, 0, Math.abs(c), upwards ? y : -y, upwards ? -x : x] };
  });
}
