#!/bin/sh
# Installs what is missing and compiles the one executable to dist/sluice.
#   ./compile.sh               install, then compile
#   ./compile.sh --deps-only   only install; says nothing when nothing is missing
# Needs Node 18 or later and npm; everything else, Bun included, comes from npm.
set -eu
cd "$(dirname "$0")"

fail() {
  echo "compile.sh: $1" >&2
  exit 1
}

case "${1:-}" in
  "" | --deps-only) ;;
  *) fail "Cannot understand \"$1\": the only option is --deps-only" ;;
esac

# Two runs at once must not install into each other. Where there is no flock (macOS), take care.
mkdir -p dist
exec 9>dist/.lock
if command -v flock >/dev/null 2>&1; then flock 9; fi

# A copy of the lock file, made after the install, tells whether node_modules is what it asks for.
installed=node_modules/.sluice-lock
if ! cmp -s package-lock.json "$installed"; then
  command -v node >/dev/null 2>&1 || fail "Cannot install: node is not in PATH (needs Node >= 18)"
  command -v npm >/dev/null 2>&1 || fail "Cannot install: npm is not in PATH (it comes with Node)"
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 18 ] || fail "Cannot install: node is version $major, needs 18 or later"
  echo "compile.sh: installing packages" >&2
  # Bun and the other tools are development packages: install them whatever NODE_ENV says. Not
  # "npm ci": docs/RATIONALE.md says why.
  npm install --no-save --include=dev --include=optional --no-audit --no-fund --loglevel=error \
    >&2 9>&- || fail "Cannot install: npm has failed"
  cp package-lock.json "$installed"
fi

bun=node_modules/.bin/bun
if ! "$bun" --version >/dev/null 2>&1; then
  # npm may have been told to run no install scripts; Bun's own puts its executable in place.
  (cd node_modules/bun && node install.js) >&2 9>&- || fail "Cannot put Bun in place"
  "$bun" --version >/dev/null || fail "Cannot run $bun: is there a Bun for this machine?"
fi
if [ "${1:-}" = --deps-only ]; then exit 0; fi

# Built aside and renamed, so that a running dist/sluice is never written to.
fresh=dist/fresh.$$
trap 'rm -rf "$fresh"' EXIT
mkdir "$fresh"
# The second file is where the thread that watches guests starts. Split, so that a process loads
# what its command needs and no more.
if ! "$bun" build src/main.ts src/wasm/watch/thread.ts --compile --minify --bytecode \
  --format=esm --splitting --sourcemap \
  --no-compile-autoload-dotenv --no-compile-autoload-bunfig \
  --compile-exec-argv="--max-http-header-size=65536" \
  --outfile "$fresh/sluice" >"$fresh/log" 2>&1 9>&-; then
  cat "$fresh/log" >&2
  fail "Cannot compile src/main.ts"
fi
mv -f "$fresh/sluice" dist/sluice
