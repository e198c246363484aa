#!/bin/sh
# An option, a word that is no command, or a plain file that cannot be run is an argument of node.
set -e
case "$1" in
  -*) exec node "$@" ;;
esac
if ! command -v "$1" >/dev/null 2>&1 || { [ -f "$1" ] && [ ! -x "$1" ]; }; then
  exec node "$@"
fi
exec "$@"
