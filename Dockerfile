# One image per app: `docker build --build-arg APP=auth|mcp|api .` (docs/operations.md).
# The final stage holds the app's bundle and nothing else: no packages, no build tools, no secrets.

FROM node:24-bookworm-slim AS packages
ENV CI=true DO_NOT_TRACK=1
WORKDIR /src
# The lockfile alone decides what is fetched, so that a change of source fetches nothing.
COPY pnpm-lock.yaml pnpm-workspace.yaml ./
RUN npx -y pnpm@12.21.0 fetch

FROM packages AS sources
COPY . .
RUN npx -y pnpm@12.21.0 install --frozen-lockfile --offline \
  && npx -y pnpm@12.21.0 --filter @vertexsms/db run generate

FROM sources AS bundle
ARG APP
RUN node scripts/image/bundle.ts "$APP" /app

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0
# Volumes start as copies of these folders: the first container makes the secrets in them as user node.
RUN install -d -o node -g node -m 0750 /secrets /secrets/operator /secrets/edge /secrets/database /demo
WORKDIR /app
COPY --from=bundle /app ./
USER node
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 CMD ["node", "health.js"]
# A full collection once the old generation has grown by a seventh, not threefold: memory stays near what is in use.
CMD ["node", "--heap-growing-percent=15", "server.js"]
