#!/bin/sh
# Puts the compilers that build.sh wants into a folder, out of Debian packages that it unpacks
# there and installs nowhere. Needs Debian 12 or its like, with apt-get and dpkg.
#   test/guests/fetch.sh FOLDER
# What is there already is not fetched again; afterwards FOLDER/bin has the compilers.
set -eu
[ $# -eq 1 ] || { echo "fetch.sh: say which folder" >&2 && exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)

# Two Rusts: the older brings its library ready-made, the newer the library's sources.
main() {
  unpack llvm clang-14 lld-14 libclang-cpp14 libclang-common-14-dev libllvm14 wasi-libc
  unpack rust-1.63 rustc libstd-rust-1.63 libstd-rust-dev libstd-rust-dev-wasm32 libllvm14
  unpack rust-1.96 rustc-web libstd-rust-web-1.96 libstd-rust-web-dev rust-web-src libllvm22
  # The packages say where the sources are from the file system's root.
  sources=$folder/rust-1.96/usr/lib/rustlib/src/rust
  ln -sfn ../../../src/rustc-1.96.0 "$sources"
  mkdir -p "$folder/bin"
  runs clang llvm clang-14
  runs wasm-ld llvm wasm-ld-14
  runs rustc rust-1.63 rustc
  runs rustc-web rust-1.96 rustc
}

# unpack NAME PACKAGE...: into a folder of that name.
unpack() {
  name=$1
  shift
  if [ -d "$folder/$name" ]; then return; fi
  echo "fetching $name: $*"
  rm -rf "$folder/part"
  mkdir -p "$folder/part/packages"
  (cd "$folder/part/packages" && apt-get download -q "$@")
  for package in "$folder"/part/packages/*.deb; do dpkg -x "$package" "$folder/part/$name"; done
  mv "$folder/part/$name" "$folder/$name"
  rm -rf "$folder/part"
}

# runs COMMAND NAME PROGRAM: a command that finds the libraries of its own folder.
runs() {
  cat >"$folder/bin/$1" <<END
#!/bin/sh
LD_LIBRARY_PATH=$folder/$2/usr/lib/x86_64-linux-gnu exec $folder/$2/usr/bin/$3 "\$@"
END
  chmod 755 "$folder/bin/$1"
}

main
