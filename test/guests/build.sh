#!/bin/sh
# Compiles the guests of the tests and benchmarks, written against the raw ABI in C, Rust and Go.
# Each LANGUAGE/NAME.wasm is committed beside its source, so that nobody needs three toolchains;
# run this after a change of the sources. A language whose toolchain is not there is left alone,
# and the last lines say what it wants.
#   test/guests/build.sh             all of them
#   test/guests/build.sh c rust      these
# The programs may have other names: CLANG, WASM_LD, RUSTC, GO.
set -eu
cd "$(dirname "$0")"
guests="add-header read-headers"
missing=""
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

main() {
  [ $# -gt 0 ] || set -- c rust go
  linker=${WASM_LD:-$(first wasm-ld wasm-ld-19 wasm-ld-14)}
  for language in "$@"; do
    case $language in
      c) build_c ;;
      rust) build_rust ;;
      go) build_go ;;
      *) echo "Cannot build \"$language\": it is none of c, rust, go" >&2 && exit 2 ;;
    esac
  done
  [ -z "$missing" ] || { printf 'Not built:\n%b' "$missing" && exit 1; }
}

# No libc, and a stack below the data, where its overflow traps. Linked in a step of its own:
# clang would run wasm-opt as well, where there is one.
build_c() {
  clang=${CLANG:-$(first clang clang-19 clang-14)}
  if [ -z "$clang" ] || [ -z "$linker" ]; then
    lacks c "clang and lld (Debian: clang, lld)"
    return
  fi
  for guest in $guests; do
    "$clang" --target=wasm32 -O2 -Wall -Wextra -Werror -mbulk-memory -ffreestanding \
      -c -o "$objects/$guest.o" "c/$guest.c"
    "$linker" --no-entry --stack-first -z stack-size=65536 --strip-debug \
      -o "c/$guest.wasm" "$objects/$guest.o"
    built "c/$guest.wasm"
  done
  sums c
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
    (cd go && GOOS=wasip1 GOARCH=wasm "$go" build -buildmode=c-shared -trimpath -buildvcs=false \
      -ldflags="-s -w" -o "$guest.wasm" "./$guest")
    built "go/$guest.wasm"
  done
  sums go
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
