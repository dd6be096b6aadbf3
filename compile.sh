#!/bin/sh
# Installs what is missing and compiles the one executable to dist/sluice.
#   ./compile.sh               install, then compile
#   ./compile.sh --deps-only   only install
set -eu
cd "$(dirname "$0")"

# The lock file's checksum tells whether node_modules is what it asks for.
stamp=node_modules/.sluice-lock
if ! cmp -s package-lock.json "$stamp" 2>/dev/null; then
  npm ci --no-audit --no-fund
  cp package-lock.json "$stamp"
fi
bun=node_modules/.bin/bun
# npm may have been told to run no install scripts; Bun's own puts its executable in place.
"$bun" --version >/dev/null 2>&1 || node node_modules/bun/install.js
[ "${1:-}" = --deps-only ] && exit 0

mkdir -p dist
"$bun" build src/main.ts --compile --minify --bytecode --format=esm --sourcemap \
  --no-compile-autoload-dotenv --no-compile-autoload-bunfig \
  --compile-exec-argv="--max-http-header-size=65536" \
  --outfile dist/sluice
