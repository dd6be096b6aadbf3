#!/bin/sh
# Compiles the bundled plugins; each NAME.wasm is committed beside the folder of its source.
#   plugins/build.sh            into plugins/
#   plugins/build.sh FOLDER     somewhere else, to compare
set -eu
cd "$(dirname "$0")/.."
to=${1:-plugins}

# stub: nothing is freed, because nothing is allocated once the configuration has been read.
node_modules/.bin/asc plugins/add-header/assembly/plugin.ts --outFile "$to/add-header.wasm" \
  -Oz --converge --noAssert --runtime stub --use abort=plugins/add-header/assembly/abort/abort \
  --initialMemory 1 --maximumMemory 16
