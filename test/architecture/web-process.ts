import type { Violation } from './rules.js';
import type { Source } from './source.js';

const entry = 'api/main.ts';

/** What asks Claude, reads files and runs jobs. A web process accepts work and answers: it does not even load this. */
const heavy = /^(workers|shared\/adapters\/language-model|shared\/knowledge\/(extraction|chunking))\//;

/** Every way on which a web process comes to load what is for workers, when it starts or later. */
export function heavyLoads(sources: readonly Source[]): Violation[] {
  const loadsOf = new Map(sources.map(({ path, loads }) => [path, loads]));
  const seen = new Set([entry]);
  const found: Violation[] = [];
  for (const file of seen) {
    for (const to of loadsOf.get(file) ?? []) {
      if (heavy.test(to)) found.push({ file, message: `makes web processes load ${to}: that is for workers` });
      else seen.add(to);
    }
  }
  return found;
}
