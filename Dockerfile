# One image per app: `docker build --build-arg APP=auth|mcp|api .` (docs/operations.md).
# The final stage holds the app's bundle and nothing else: no packages, no build tools, no secrets.

# What everything is built on and runs on, by digest in a release (docs/operations.md shows how to find it).
ARG NODE_IMAGE=node:24-bookworm-slim
# Anything but empty: a release, which refuses a base image that is not pinned by its digest.
ARG RELEASE=

FROM ${NODE_IMAGE} AS packages
ARG NODE_IMAGE
ARG RELEASE
RUN case "${RELEASE:+release} ${NODE_IMAGE}" in \
    release*@sha256:*) ;; \
    release*) echo "a release needs NODE_IMAGE=name@sha256:digest, not ${NODE_IMAGE}" >&2; exit 1 ;; \
  esac
ENV CI=true DO_NOT_TRACK=1 npm_config_fetch_retries=5
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

FROM ${NODE_IMAGE}
ENV NODE_ENV=production HOST=0.0.0.0
# The C library otherwise keeps an arena for each compiler and collector thread, and does not give back what they freed.
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536 MALLOC_MMAP_THRESHOLD_=65536
# Volumes start as copies of these folders: the first container makes the secrets in them as user node.
RUN install -d -o node -g node -m 0750 /secrets /secrets/operator /secrets/api /secrets/edge \
  /secrets/database /secrets/database-migrate /secrets/database-auth /secrets/database-api /demo
WORKDIR /app
COPY --from=bundle /app ./
USER node
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 CMD ["node", "health.js"]
# A young generation of 24 MB at most, where this machine's memory would allow 96 and more; full collections come once the
# old generation has grown by three quarters, not threefold: memory stays near what is in use. What is made for one request
# is made in the young generation: V8 otherwise takes a part of it for lasting once many are under way at a collection, and
# through it the whole request lasts until a full one, of which there are then three a second.
CMD ["node", "--max-semi-space-size=8", "--heap-growing-percent=75", "--no-allocation-site-pretenuring", "server.js"]
