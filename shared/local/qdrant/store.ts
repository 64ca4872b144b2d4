import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Collection, createCollection, isCollection, openCollection } from './collection.js';
import { noCollection, RequestError, wrongInput } from './errors.js';
import { keptFile } from './kept-file.js';
import type { AliasActions, CreateCollection } from './requests.js';

/** All collections of a folder, and the aliases they go by. */
export type Store = {
  /** The collection of this name or alias. @throws RequestError 404 */
  find(name: string): Collection;
  has(name: string): boolean;
  names(): string[];
  /** @throws RequestError 409 when there is one of this name. */
  create(name: string, config: CreateCollection): Promise<void>;
  /** Deletes it with its aliases; resolves to whether there was one. */
  remove(name: string): Promise<boolean>;
  aliases(): { alias_name: string; collection_name: string }[];
  /** All of the actions, or none. */
  changeAliases(actions: AliasActions): Promise<void>;
  close(): Promise<void>;
};

export async function openStore(folder: string): Promise<Store> {
  const collectionsFolder = path.join(folder, 'collections');
  const aliasFile = path.join(folder, 'aliases.json');
  await mkdir(collectionsFolder, { recursive: true });
  const collections = new Map<string, Collection>();
  for (const entry of await readdir(collectionsFolder)) {
    const own = path.join(collectionsFolder, entry);
    if (isCollection(own)) collections.set(decodeURIComponent(entry), await openCollection(own));
    // It was being made or deleted when the process ended.
    else await rm(own, { recursive: true, force: true });
  }
  const keptAliases = keptFile(aliasFile);
  const kept = await readFile(aliasFile, 'utf8').catch(() => '{}');
  let aliases = new Map(Object.entries(JSON.parse(kept) as Record<string, string>));
  /** Being made: their names are taken, and whoever hears so may use them at once. */
  const starting = new Map<string, Promise<Collection>>();
  /** Being deleted: one of the same name, and so in the same folder, waits for that. */
  const ending = new Map<string, Promise<void>>();

  async function saveAliases(next: Map<string, string>): Promise<void> {
    aliases = next;
    await keptAliases.write(Object.fromEntries(next));
  }

  return {
    find(name) {
      const found = collections.get(aliases.get(name) ?? name);
      if (!found) throw noCollection(name);
      return found;
    },
    has: (name) => collections.has(aliases.get(name) ?? name),
    names: () => [...collections.keys()],
    async create(name, config) {
      if (!/^[^/\\<>:"|?*\0]{1,255}$/.test(name)) throw wrongInput(`invalid collection name ${name}`);
      await starting.get(name);
      if (collections.has(name) || aliases.has(name)) {
        throw new RequestError(409, `Wrong input: Collection \`${name}\` already exists!`);
      }
      // Whether that failed is for the one who asked for it.
      const gone = ending.get(name)?.catch(() => {}) ?? Promise.resolve();
      const folderOf = path.join(collectionsFolder, encodeURIComponent(name));
      const making = gone.then(() => createCollection(folderOf, config));
      starting.set(name, making);
      try {
        collections.set(name, await making);
      } finally {
        starting.delete(name);
      }
    },
    async remove(name) {
      const collection = collections.get(name);
      if (!collection) return false;
      collections.delete(name);
      const gone = saveAliases(new Map([...aliases].filter(([, target]) => target !== name)))
        .then(() => collection.destroy())
        .finally(() => ending.delete(name));
      ending.set(name, gone);
      await gone;
      return true;
    },
    aliases: () => [...aliases].map(([alias_name, collection_name]) => ({ alias_name, collection_name })),
    async changeAliases(actions) {
      const next = new Map(aliases);
      for (const action of actions) {
        if ('delete_alias' in action) {
          next.delete(action.delete_alias.alias_name);
          continue;
        }
        const { alias_name: alias, collection_name: name } = action.create_alias;
        if (!collections.has(name)) throw noCollection(name);
        if (collections.has(alias)) throw new RequestError(409, `Wrong input: Collection \`${alias}\` already exists!`);
        next.set(alias, name);
      }
      await saveAliases(next);
    },
    async close() {
      for (const collection of collections.values()) await collection.close();
    },
  };
}
