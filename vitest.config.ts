import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{api,workers,shared,prisma,test}/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    pool: 'forks',
    // Modules hold no state, so files can share them: loading them anew for each of 112 files took 261 s of processor
    // time instead of 41, and the whole run 478 s instead of 321 on two cores.
    isolate: false,
    // Most of them wait most of the time: with three at once the run took 469 s on two cores, with four 395.
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
  },
});
