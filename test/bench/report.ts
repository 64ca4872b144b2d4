/** A number that a bench found, under the name it is printed with. */
export type Figure = { name: string; value: number; unit: string };

/** A figure that has to stay on one side of a limit. */
export type Target = Figure & { relation: '≤' | '≥' | '<'; limit: number };

/** What a bench found. */
export type Result = { figures: Figure[]; targets: Target[] };

const relations: Record<Target['relation'], (value: number, limit: number) => boolean> = {
  '≤': (value, limit) => value <= limit,
  '≥': (value, limit) => value >= limit,
  '<': (value, limit) => value < limit,
};

/** A figure that is no number misses its target. */
export const isMet = ({ relation, value, limit }: Target): boolean => relations[relation](value, limit);

/** The figures, and below them the one line that names every target. */
export function toText(bench: string, { figures, targets }: Result): string {
  const width = Math.max(...figures.map(({ name }) => name.length));
  const lines = figures.map((figure) => `  ${figure.name.padEnd(width)}  ${format(figure.value, figure.unit)}`);
  const judged = targets.map((target) => {
    const { name, value, unit, relation, limit } = target;
    return `${name} ${format(value, unit)} (target ${relation} ${format(limit, unit)}${isMet(target) ? '' : ', missed'})`;
  });
  return [...lines, `${bench}: ${judged.join(', ')}`].join('\n');
}

/** The same for machines, on one line. */
export function toJson(bench: string, { figures, targets }: Result): string {
  const judged = targets.map((target) => ({ ...target, met: isMet(target) }));
  return JSON.stringify({ bench, figures, targets: judged, met: judged.every(({ met }) => met) });
}

/** Three digits that say something; large numbers whole. */
function format(value: number, unit: string): string {
  const digits = Number.isFinite(value) ? Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.001)))) : 0;
  const text = Number.isInteger(value) ? String(value) : value.toFixed(Math.min(digits, 3));
  return unit ? `${text} ${unit}` : text;
}
