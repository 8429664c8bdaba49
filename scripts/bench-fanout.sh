#!/usr/bin/env bash
# Measures CPU and memory per forwarded packet of a worker binary. WORKER_BIN=… selects another worker; arguments are those
# of node-harness/bench/fanout.js (--help lists them).
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
prepare_harness
mkdir -p "$BUILD/bench"
(cd "$ROOT" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$BUILD/bench/loadgen" ./node-harness/bench/loadgen)
export GAZPACHO_RESOURCE_USAGE=process # report plain CPU time
exec "$NODE" "$HARNESS/bench/fanout.js" --loadgen "$BUILD/bench/loadgen" --out "$BUILD/bench" "$@"
