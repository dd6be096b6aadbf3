#!/bin/sh
# Compiles the guests of the tests and benchmarks: against the raw ABIs in C, Rust and Go, and on
# the SDKs of Rust, Go and AssemblyScript. Each module is committed beside its source, so that
# nobody needs all these toolchains; run this after a change of the sources. A language whose
# toolchain or packages are not there is left alone, and the last lines say what it wants.
#   test/guests/build.sh                   all of them
#   test/guests/build.sh c rust            these
#   test/guests/build.sh --fetch [...]     fetches what is missing first, into the cache folder
# The cache folder is SLUICE_GUESTS_CACHE, or sluice-guests where caches are; nothing outside of it
# changes, but for the modules. The same sources give the same bytes, wherever it lies.
# The programs may have other names: CLANG, WASM_LD, RUSTC, RUSTC_WEB, CARGO, GO, NPM.
set -eu
cd "$(dirname "$0")"
here=$(pwd)
all="c rust go http-wasm rust-sdk go-sdk assemblyscript-sdk"
guests="add-header read-headers"
missing=""
cache=${SLUICE_GUESTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sluice-guests}
fetch=false
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

main() {
  if [ "${1:-}" = --fetch ]; then
    shift
    fetch=true
    ./fetch.sh "$cache"
  fi
  [ $# -gt 0 ] || set -- $all
  # The versions that the committed modules come from go first.
  PATH=$cache/bin:$PATH
  linker=${WASM_LD:-$(first wasm-ld wasm-ld-19 wasm-ld-14)}
  for language in "$@"; do
    case $language in
      c) build_c c "$guests" ;;
      http-wasm) build_c http-wasm add-header ;;
      rust) build_rust ;;
      go) build_go ;;
      rust-sdk) build_rust_sdk ;;
      go-sdk) build_go_sdk ;;
      assemblyscript-sdk) build_assemblyscript_sdk ;;
      *) echo "Cannot build \"$language\": it is none of $all" >&2 && exit 2 ;;
    esac
  done
  [ -z "$missing" ] || { printf 'Not built:\n%b' "$missing" && exit 1; }
}

# No libc, and a stack below the data, where its overflow traps. Linked in a step of its own:
# clang would run wasm-opt as well, where there is one.
build_c() {
  clang=${CLANG:-$(first clang clang-19 clang-14)}
  if [ -z "$clang" ] || [ -z "$linker" ]; then
    lacks "$1" "clang and lld (Debian: clang, lld)"
    return
  fi
  for guest in $2; do
    "$clang" --target=wasm32 -O2 -Wall -Wextra -Werror -mbulk-memory -ffreestanding \
      -c -o "$objects/$guest.o" "$1/$guest.c"
    "$linker" --no-entry --stack-first -z stack-size=65536 --strip-debug \
      -o "$1/$guest.wasm" "$objects/$guest.o"
    built "$1/$guest.wasm"
  done
  sums "$1"
}

# The stack stays what the compiler gives, 1 MiB: that is the memory which most Rust filters have.
build_rust() {
  rustc=${RUSTC:-$(first rustc)}
  target=wasm32-unknown-unknown
  if [ -z "$linker" ] || [ -z "$rustc" ] ||
    ! [ -d "$("$rustc" --print target-libdir --target $target)" ]; then
    lacks rust "rustc with $target and lld (Debian: rustc, libstd-rust-dev-wasm32, lld)"
    return
  fi
  for guest in $guests; do
    "$rustc" --edition 2021 --target $target --crate-type cdylib -O -C panic=abort -C lto \
      -C strip=debuginfo -C "linker=$linker" -o "rust/$guest.wasm" "rust/$guest.rs"
    built "rust/$guest.wasm"
  done
  sums rust
}

build_go() {
  go=${GO:-$(first go)}
  if [ -z "$go" ]; then
    lacks go "go 1.24 or later"
    return
  fi
  for guest in $guests; do
    (cd go && compile_go "$guest.wasm" "./$guest")
    built "go/$guest.wasm"
  done
  sums go
}

# The crate wants a newer Rust than the one with a ready-made library: that is compiled as well.
# WASI's target, for the clock and the random numbers.
build_rust_sdk() {
  rustc=${RUSTC_WEB:-$(first rustc-web)}
  cargo=${CARGO:-$(first cargo)}
  libc=$cache/llvm/usr/lib/wasm32-wasi
  if [ -z "$rustc" ] || [ -z "$cargo" ] || [ -z "$linker" ] || ! [ -d "$libc" ]; then
    lacks rust-sdk "cargo, and test/guests/build.sh --fetch for the rest"
    return
  fi
  work=$(copied rust-sdk)
  if ! cargo_in "$work" fetch; then
    lacks rust-sdk "its crates: test/guests/build.sh --fetch rust-sdk"
    return
  fi
  # Panics name their source files: not those of this machine. The last prefix that fits counts.
  # The flags must be the same each time, or the library is compiled again.
  RUSTFLAGS="-Clink-self-contained=no -Lnative=$libc"
  for prefix in "$cache" "$cache"/cargo/registry/src/*; do
    RUSTFLAGS="$RUSTFLAGS --remap-path-prefix=$prefix=/cache"
  done
  export RUSTFLAGS
  cargo_in "$work" build --release -Zbuild-std=std,panic_abort
  unset RUSTFLAGS
  cp "$cache/rust-sdk-target/wasm32-wasip1/release/examples.wasm" rust-sdk/examples.wasm
  built rust-sdk/examples.wasm
  sums rust-sdk
}

# cargo_in FOLDER COMMAND...
cargo_in() {
  online=--offline
  if $fetch; then online=; fi
  (cd "$1" && shift && CARGO_HOME=$cache/cargo CARGO_TARGET_DIR=$cache/rust-sdk-target \
    CARGO_TARGET_WASM32_WASIP1_LINKER=$linker RUSTC=$(command -v "$rustc") RUSTC_BOOTSTRAP=1 \
    "$cargo" "$@" --quiet $online --target wasm32-wasip1)
}

build_go_sdk() {
  go=${GO:-$(first go)}
  if [ -z "$go" ]; then
    lacks go-sdk "go 1.24 or later"
    return
  fi
  proxy=off
  if $fetch; then proxy=$("$go" env GOPROXY); fi
  if ! (cd go-sdk && GOMODCACHE=$cache/go-mod GOFLAGS=-modcacherw GOPROXY=$proxy \
    compile_go examples.wasm .); then
    lacks go-sdk "its modules: test/guests/build.sh --fetch go-sdk"
    return
  fi
  built go-sdk/examples.wasm
  sums go-sdk
}

# The sources are called .as so that nobody takes them for TypeScript; the compiler wants .ts.
build_assemblyscript_sdk() {
  npm=${NPM:-$(first npm)}
  if [ -z "$npm" ]; then
    lacks assemblyscript-sdk "npm"
    return
  fi
  work=$(copied assemblyscript-sdk)
  for source in "$work"/*.as; do mv "$source" "${source%.as}.ts"; done
  offline=--offline
  if $fetch; then offline=; fi
  if ! (cd "$work" && "$npm" install --silent --ignore-scripts --no-audit --no-fund $offline \
    --cache "$cache/npm"); then
    lacks assemblyscript-sdk "its packages: test/guests/build.sh --fetch assemblyscript-sdk"
    return
  fi
  # It warns of its own library.
  (cd "$work" && node_modules/.bin/asc index.ts --binaryFile examples.wasm --runtime full \
    --use abort=abort_proc_exit --optimize 2>warnings) ||
    { cat "$work/warnings" && exit 1; }
  cp "$work/examples.wasm" assemblyscript-sdk/examples.wasm
  built assemblyscript-sdk/examples.wasm
  sums assemblyscript-sdk
}

# compile_go OUTPUT PACKAGE
compile_go() {
  GOOS=wasip1 GOARCH=wasm "$go" build -buildmode=c-shared -trimpath -buildvcs=false \
    -ldflags="-s -w" -o "$1" "$2"
}

# copied LANGUAGE: says a folder with its sources, where package managers may leave things.
copied() {
  rm -rf "$objects/$1"
  cp -R "$here/$1" "$objects/$1"
  echo "$objects/$1"
}

# first NAME...: the first that is installed; nothing when none is.
first() {
  for name in "$@"; do
    command -v "$name" && return
  done
  return 0
}

# Linkers make an executable file, which a module is not.
built() {
  chmod 644 "$1"
  echo "$1 $(wc -c <"$1") bytes"
}

# What the modules were built from and what came of it: a test compares.
sums() {
  rm -f "$1/sha256sums"
  (cd "$1" && find ./* -type f | LC_ALL=C sort | xargs sha256sum | sed 's|\./||') >"$objects/sums"
  cp "$objects/sums" "$1/sha256sums"
}

lacks() {
  missing="$missing$1: needs $2\n"
}

main "$@"
