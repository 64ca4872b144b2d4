# One image for every process: web (the default), worker and release differ in their command only.

FROM node:20-bookworm-slim AS base
WORKDIR /app

# Compiles; has the tools, and is thrown away. No package needs its install script here: what is native comes prebuilt.
FROM base AS build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY prisma prisma
COPY shared shared
COPY workers workers
COPY api api
RUN npm run build && rm -rf dist/.tsbuildinfo dist/shared/local

FROM base AS dependencies
COPY package.json package-lock.json ./
# `--omit=dev` would keep Prisma's tools and the compiler, which are optional peers of Prisma's client. The lock file
# decides the versions here too.
RUN npm pkg delete devDependencies \
  && npm install --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/typescript node_modules/@typescript \
  && npm cache clean --force

FROM base AS runtime
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
COPY package.json ./
COPY prisma/migrations prisma/migrations
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
# A volume that is mounted here for the first time belongs to whom the folder does.
RUN mkdir -p /data/files && chown node:node /data/files
USER node
EXPOSE 3000 9464
# Of a web process; a worker answers the same path on METRICS_PORT, see docker-compose.yml.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "--max-old-space-size=1024", "--max-semi-space-size=8", "dist/api/main.js"]
