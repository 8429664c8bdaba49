#!/usr/bin/env bash
# The example autoscaler starts and stops nodes on this machine, from one to four and back, under a load that grows and falls.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
prepare_harness
GAZPACHO=$ROOT/bin/gazpacho exec "$NODE" "$HARNESS/autoscaler/run.js"
