import path from 'node:path';
import { damaged } from '../failure.js';
import { scanXml } from './xml.js';
import type { Archive } from './zip.js';

/** What a part of an office file refers to. */
export type Relation = { id: string; type: string; target: string };

/**
 * The main part of an office file: `usual`, unless the file names another one, as some programs do.
 *
 * @throws {ExtractionFailed} when there is none.
 */
export async function mainPartOf(archive: Archive, usual: string, what: string): Promise<string> {
  if (archive.has(usual)) return usual;
  const named = (await relationsOf(archive, '')).find(({ type }) => type === 'officeDocument')?.target ?? usual;
  if (!archive.has(named)) throw damaged(what, `no ${named}`);
  return named;
}

/** What an element refers to; the prefix of the attribute is the program's choice. */
export function referenceOf(attributes: Record<string, string>): string {
  const name = Object.keys(attributes).find((each) => each.endsWith(':id'));
  return name ? (attributes[name] ?? '') : '';
}

/** The relations of the part called `name`, of the file itself when that is empty, with targets as names of entries. */
export async function relationsOf(archive: Archive, name: string): Promise<Relation[]> {
  const folder = path.posix.dirname(name);
  const file = path.posix.join(folder, '_rels', `${path.posix.basename(name)}.rels`);
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
