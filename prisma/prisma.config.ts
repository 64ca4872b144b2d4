import { defineConfig } from 'prisma/config';

/** For the Prisma tools (`generate`, and `migrate` where its engine can be had); the product does not read it. */
export default defineConfig({
  schema: 'schema.prisma',
  migrations: { path: 'migrations' },
});
