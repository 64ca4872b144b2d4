import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{api,workers,shared,prisma,test}/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    pool: 'forks',
    // The tests share the machine with Postgres, Redis and the processes that they start.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
  },
});
