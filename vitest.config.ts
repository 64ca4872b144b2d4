import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{api,workers,shared,prisma,test}/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    pool: 'forks',
    // Most of them wait most of the time: two at once leave two cores idle for two fifths of it.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
  },
});
