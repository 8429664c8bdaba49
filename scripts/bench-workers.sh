#!/usr/bin/env bash
# Measures several workers on one machine, with all cores for each of them and with a share of the cores. Arguments are those of
# node-harness/bench/workers.js (--help lists them).
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
prepare_harness
mkdir -p "$BUILD/bench"
(cd "$ROOT" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$BUILD/bench/loadgen" ./node-harness/bench/loadgen)
export GAZPACHO_RESOURCE_USAGE=process # report plain CPU time
exec "$NODE" "$HARNESS/bench/workers.js" --loadgen "$BUILD/bench/loadgen" --out "$BUILD/bench" "$@"
