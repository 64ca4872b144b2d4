import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder of the project: what is built lies a folder deeper than its source. */
export function projectRoot(): string {
  const folder = path.resolve(import.meta.dirname, '../..');
  return existsSync(path.join(folder, 'package.json')) ? folder : path.dirname(folder);
}
