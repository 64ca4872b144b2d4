import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** A project of a few files with the linter's configuration of this one. */
const folder = mkdtempSync(path.join(tmpdir(), 'millrace-lint-'));

beforeAll(() => {
  for (const file of ['.oxlintrc.json', 'tsconfig.json']) copyFileSync(file, path.join(folder, file));
  symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'));
  mkdirSync(path.join(folder, 'shared'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lint(files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, 'shared', name), text);
  const oxlint = path.join('node_modules', 'oxlint', 'bin', 'oxlint');
  const ran = spawnSync(process.execPath, [oxlint, '-f', 'unix'], { cwd: folder, encoding: 'utf8' });
  for (const name of Object.keys(files)) rmSync(path.join(folder, 'shared', name));
  return ran.status === 0 ? '' : ran.stdout;
}

test('clean code passes', () => {
  expect(lint({ 'clean.ts': 'export const add = (one: number, two: number): number => one + two;\n' })).toBe('');
});

test.each([
  ['no-floating-promises', 'export function f(work: () => Promise<void>): void { work(); }'],
  ['no-misused-promises', 'export const f = (work: () => Promise<void>): void => [1].forEach(async () => work());'],
  ['await-thenable', 'export const f = async (one: number): Promise<number> => await one;'],
  ['no-explicit-any', 'export const f = (one: any): unknown => one;'],
  ['no-unused-vars', 'export function f(): void { const one = 1; }'],
  ['eqeqeq', 'export const f = (one: unknown): boolean => one == 1;'],
  ['only-throw-error', "export function f(): never { throw 'no'; }"],
  ['no-non-null-assertion', 'export const f = (one?: number): number => one!;'],
  ['no-disabled-tests', "import { test } from 'vitest';\ntest.skip('x', () => {});"],
])('%s is an error', (rule, text) => {
  expect(lint({ [rule === 'no-disabled-tests' ? 'it.test.ts' : 'it.ts']: `${text}\n` })).toContain(`(${rule})`);
});

test('a circle of imports is an error, of types too', () => {
  const ring = (other: string): string =>
    `import type { T } from './${other}.js';\nexport type T2 = T;\nexport type { T };\n`;
  expect(lint({ 'one.ts': ring('two'), 'two.ts': ring('one') })).toContain('(no-cycle)');
});
