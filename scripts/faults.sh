#!/usr/bin/env bash
# Faults of a cluster: nodes, networks and applications fail under load, and what the application hears of it is compared with
# golden lists (node-harness/faults/golden). Arguments: --quick (what make test runs), --seeds N, --first N, --update, names of faults.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
prepare_harness
GAZPACHO=$ROOT/bin/gazpacho exec "$NODE" "$HARNESS/faults/run.js" "$@"
