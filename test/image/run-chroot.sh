#!/bin/sh
# Runs the gateway inside an assembled root file system the way a container engine would: as a user
# without rights, on a read-only root, with /proc and /dev/null and nothing else from outside.
#   test/image/run-chroot.sh FOLDER [ARGUMENT...]     needs root; SLUICE_* variables are handed on
# Bun needs /proc (its stack's bounds, its own path, the CPU quota) and /dev/null (children's stdin).
set -eu
[ $# -ge 1 ] || { echo "Usage: test/image/run-chroot.sh FOLDER [ARGUMENT...]" >&2; exit 2; }
if [ "${SLUICE_INSIDE:-}" = "" ]; then
  [ "$(id -u)" -eq 0 ] || { echo "run-chroot.sh: Cannot use chroot: needs root" >&2; exit 1; }
  # The mounts below live in a name space of their own and vanish with the gateway.
  SLUICE_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi
unset SLUICE_INSIDE

root=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- run /etc/sluice/gateway.yaml # The image's CMD.
mkdir -p "$root/proc" "$root/dev"
mount --bind "$root" "$root"
mount -t proc -o ro,nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o size=4k,mode=755,nosuid,noexec tmpfs "$root/dev"
: >"$root/dev/null"
mount --bind /dev/null "$root/dev/null"
mount -o remount,bind,ro "$root"

# Word splitting is wanted: one NAME=VALUE a word, and no value here holds blanks.
# shellcheck disable=SC2046
exec env -i $(env | grep '^SLUICE_' || true) \
  "$(command -v chroot)" --userspec=65532:65532 --groups= "$root" /sluice "$@"
