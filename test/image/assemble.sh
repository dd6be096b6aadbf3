#!/bin/sh
# Assembles the image's root file system in a folder: the executable, the libraries that it links,
# and the few files that name resolution and TLS read. The Dockerfile copies exactly this.
#   test/image/assemble.sh FOLDER       FOLDER must be empty or not exist; needs dist/sluice
set -eu
[ $# -eq 1 ] || { echo "Usage: test/image/assemble.sh FOLDER" >&2; exit 2; }
mkdir -p "$1"
root=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."

fail() {
  echo "assemble.sh: $1" >&2
  exit 1
}

[ -x dist/sluice ] || fail "Cannot find dist/sluice: run ./compile.sh first"
[ -z "$(ls -A "$root")" ] || fail "Cannot assemble in $root: the folder is not empty"

# put SOURCE TARGET: one file, links followed, readable by everyone.
put() {
  [ -f "$1" ] || fail "Cannot find $1, which the image needs as $2"
  mkdir -p "$root$(dirname "$2")"
  cp -L "$1" "$root$2"
}

put dist/sluice /sluice
for library in $(ldd dist/sluice | grep -o '/[^ ]*'); do put "$library" "$library"; done
put /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
put examples/container.yaml /etc/sluice/gateway.yaml
for plugin in plugins/*.wasm; do put "$plugin" "/etc/sluice/$plugin"; done

# The C library looks names up in the order that this file says; files and dns are built into it.
echo "hosts: files dns" >"$root/etc/nsswitch.conf"
echo "127.0.0.1 localhost" >"$root/etc/hosts"
echo "sluice:x:65532:65532::/:/sluice" >"$root/etc/passwd"
echo "sluice:x:65532:" >"$root/etc/group"

find "$root" -type d -exec chmod 755 {} +
find "$root" -type f -exec chmod 644 {} +
chmod 755 "$root/sluice"
find "$root" -name 'ld-*.so*' -exec chmod 755 {} +
