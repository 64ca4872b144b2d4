import path from 'node:path';
import { scanXml } from './xml.js';
import type { Archive } from './zip.js';

/** What a part of an office file refers to. */
export type Relation = { id: string; type: string; target: string };

/** The relations of the part called `name`, with targets as names of entries. */
export async function relationsOf(archive: Archive, name: string): Promise<Relation[]> {
  const folder = path.posix.dirname(name);
  const file = `${folder}/_rels/${path.posix.basename(name)}.rels`;
  if (!archive.has(file)) return [];
  const relations: Relation[] = [];
  await scanXml(archive.read(file), {
    open: (tag, { Id, Type, Target, TargetMode }) => {
      if (tag !== 'Relationship' || !Id || !Target || TargetMode === 'External') return;
      const target = Target.startsWith('/') ? Target.slice(1) : path.posix.join(folder, Target);
      relations.push({ id: Id, type: (Type ?? '').split('/').at(-1) ?? '', target });
    },
  });
  return relations;
}
