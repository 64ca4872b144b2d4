import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';

/** A mistake a file: the linter, configured as for this project, must find each by the rule of its name. */
const mistakes: Record<string, string> = {
  'no-floating-promises': 'export function f(work: () => Promise<void>): void { work(); }',
  'no-misused-promises': 'export const f = (work: () => Promise<void>): void => [1].forEach(async () => work());',
  'await-thenable': 'export const f = async (one: number): Promise<number> => await one;',
  'no-explicit-any': 'export const f = (one: any): unknown => one;',
  'no-unused-vars': 'export function f(): void { const one = 1; }',
  eqeqeq: 'export const f = (one: unknown): boolean => one == 1;',
  'only-throw-error': "export function f(): never { throw 'no'; }",
  'no-non-null-assertion': 'export const f = (one?: number): number => one!;',
  'switch-exhaustiveness-check': "export function f(one: 'a' | 'b'): void { switch (one) { case 'a': f('b'); } }",
  'no-disabled-tests': "import { test } from 'vitest';\ntest.skip('x', () => {});",
  'no-focused-tests': "import { test } from 'vitest';\ntest.only('x', () => {});",
  // Of types alone, and so of nothing that runs.
  'no-cycle': "import type { Clean } from './clean.js';\nexport type Ring = Clean;",
};
const clean = "import type { Ring } from './no-cycle.test.js';\nexport type Clean = { ring: Ring };\n";

/** Lints a project that consists of these files. @returns the lines of the report. */
function lint(files: Record<string, string>): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-lint-'));
  try {
    for (const file of ['.oxlintrc.json', 'tsconfig.json']) copyFileSync(file, path.join(folder, file));
    symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'));
    mkdirSync(path.join(folder, 'shared'));
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, 'shared', name), `${text}\n`);
    const oxlint = path.join('node_modules', 'oxlint', 'bin', 'oxlint');
    const ran = spawnSync(process.execPath, [oxlint, '-f', 'unix'], { cwd: folder, encoding: 'utf8' });
    return ran.stdout.split('\n').filter((line) => line.startsWith('shared/'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('the linter finds what must not be', () => {
  const files = Object.entries(mistakes).map(([rule, text]) => [`${rule}.test.ts`, text] as const);
  const report = lint({ ...Object.fromEntries(files), 'clean.ts': clean });
  for (const rule of Object.keys(mistakes)) {
    const found = report.filter((line) => line.startsWith(`shared/${rule}.test.ts:`)).join('\n');
    expect(found, rule).toContain(`(${rule})`);
  }
});

test('and nothing in code that is right', () => {
  expect(lint({ 'right.ts': 'export const add = (one: number, two: number): number => one + two;' })).toEqual([]);
});
