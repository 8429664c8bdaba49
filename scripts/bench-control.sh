#!/usr/bin/env bash
# Measures the cost of requests and idle transports in a worker binary. WORKER_BIN=… selects another worker; arguments are
# those of node-harness/bench/control.js (--help lists them).
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
prepare_harness
mkdir -p "$BUILD/bench"
(cd "$ROOT" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$BUILD/bench/control" ./node-harness/bench/control)
exec "$NODE" "$HARNESS/bench/control.js" --driver "$BUILD/bench/control" --out "$BUILD/bench" "$@"
