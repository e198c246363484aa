#!/bin/bash
# The contract of the official image's entry point, in brief: settings by NAME or NAME_FILE, a step down
# to the postgres user when started as root, initdb into an empty PGDATA with the password, a password
# rule for every address, the database, then /docker-entrypoint-initdb.d/*.sh and *.sql on a server that
# answers on its socket alone; an existing database is left as it is.
set -Eeuo pipefail

setting() { # NAME DEFAULT
  local file="$1_FILE"
  if [ -n "${!1:-}" ] && [ -n "${!file:-}" ]; then
    echo "error: both $1 and $file are set" >&2
    exit 1
  fi
  [ -z "${!file:-}" ] || printf -v "$1" '%s' "$(<"${!file}")"
  printf -v "$1" '%s' "${!1:-$2}"
  unset "$file"
}

[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"

setting POSTGRES_PASSWORD ''
setting POSTGRES_USER postgres
setting POSTGRES_DB "$POSTGRES_USER"
setting POSTGRES_INITDB_ARGS ''

mkdir -p "$PGDATA" /var/run/postgresql
chmod 700 "$PGDATA" || true
if [ "$(id -u)" = 0 ]; then
  chown -R postgres "$PGDATA" /var/run/postgresql
  exec gosu postgres "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -z "$POSTGRES_PASSWORD" ]; then
    echo 'error: POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE is needed' >&2
    exit 1
  fi
  # Debian's build, which the official image holds, has this socket folder compiled in.
  eval "initdb -c unix_socket_directories=/var/run/postgresql --username=\"\$POSTGRES_USER\" --pwfile=<(echo \"\$POSTGRES_PASSWORD\") $POSTGRES_INITDB_ARGS"
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  export PGPASSWORD="$POSTGRES_PASSWORD"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
  run=(psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc)
  if [ "$POSTGRES_DB" != postgres ]; then
    "${run[@]}" --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) "${run[@]}" --dbname "$POSTGRES_DB" -f "$file" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  echo 'PostgreSQL init process complete; ready for start up.'
fi
unset POSTGRES_PASSWORD
exec "$@"
