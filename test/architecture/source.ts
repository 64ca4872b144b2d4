import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A source file as the rules see it. Paths are relative to the project and use slashes. */
export type Source = {
  path: string;
  text: string;
  /** The text with comments blanked out, so that a rule about code is not about prose. */
  code: string;
  /** The files of the project that it imports, or re-exports from, types included. */
  imports: string[];
  /** Those of them that are loaded with it, or by it later: all but types. */
  loads: string[];
  /** The packages that it imports. */
  packages: string[];
};

/** The folders that hold code; what tools generate there is left out. */
const folders = ['api', 'workers', 'shared', 'prisma', 'test'];
const generated = ['prisma/client'];

/** Reads every source file of the project in `root`. */
export function readSources(root: string): Source[] {
  return folders.flatMap((folder) => walk(root, folder)).map((file) => toSource(file, readText(root, file)));
}

/** Makes a source of a path and its text. */
export function toSource(file: string, text: string): Source {
  const code = withoutComments(text);
  const statements = [...code.matchAll(importPattern)].map((match) => ({
    specifier: match[1] ?? match[2] ?? match[3] ?? '',
    isType: /^\s*(import|export)\s+type\b/.test(match[0]),
  }));
  const specifiers = statements.map(({ specifier }) => specifier);
  const filesOf = (some: string[]): string[] => some.filter(isRelative).map((specifier) => resolve(file, specifier));
  return {
    path: file,
    text,
    code,
    imports: filesOf(specifiers),
    loads: filesOf(statements.flatMap(({ specifier, isType }) => (isType ? [] : specifier))),
    packages: specifiers.filter((specifier) => !isRelative(specifier)),
  };
}

function walk(root: string, folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return generated.includes(file) ? [] : walk(root, file);
    return /\.(ts|mts|mjs|js)$/.test(entry.name) ? [file] : [];
  });
}

const readText = (root: string, file: string): string => readFileSync(path.join(root, file), 'utf8');

// A string is matched before a comment, so that the slashes of a URL in quotes do not begin one.
const commentOrString = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[^]*?\*\//g;

function withoutComments(text: string): string {
  return text.replace(commentOrString, (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found));
}

// `import … from`, `export … from`, a bare `import`, and `import()`; TypeScript 7 has no interface to ask instead.
const importPattern =
  /^\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

const isRelative = (specifier: string): boolean => specifier.startsWith('.');

function resolve(file: string, specifier: string): string {
  return path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts');
}
