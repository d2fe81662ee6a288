#!/bin/sh
# Builds the binary and runs the tests with it, as root in a container of Node's Debian or Alpine image, so that it
# needs no newer C library than that image has.
#
#   docker run --rm --volume "$PWD:/work" --workdir /work node:20-alpine sh scripts/release/build-in-container.sh
set -eu

if command -v apk; then
  apk add --no-cache build-base git rustup
  rustup-init -y --profile minimal
else
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal
fi
. "$HOME/.cargo/env"

npm ci
npm run test:js
