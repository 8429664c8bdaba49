#!/usr/bin/env bash
# Rehearses publishing to npm with a registry on this machine (verdaccio), on loopback. Argument: the folder of a release of all platforms.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
RELEASE=$(realpath "${1:?name the folder of a release}")
NODE=$(node_bin)
npm_ci "$ROOT/node-harness/install/registry"
PATH=$(dirname "$NODE"):$PATH
export RELEASE PATH PUBLISH=$ROOT/scripts/publish.sh FOLDER=$BUILD/registry-test
exec "$NODE" "$ROOT/node-harness/install/registry.js"
