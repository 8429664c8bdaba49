#!/usr/bin/env bash
# The soak test: applications do everything that there is, as fast as the machine can, and close everything again and again; what their
# processes hold then must not grow (docs/operations.md). Arguments: --mode worker|nodes|cluster|all, --minutes N for each mode, --rate N acts a
# second, --seed N, --round SECONDS. Reports and charts are in build/soak.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
need_command go "install Go 1.26 or newer (https://go.dev/dl)"
prepare_harness
export GAZPACHO=$ROOT/bin/gazpacho CROWD=$BUILD/crowd
go build -C "$ROOT/peer-tests" -buildvcs=false -o "$CROWD" ./crowd
exec "$NODE" "$HARNESS/soak/run.js" "$@"
