#!/usr/bin/env bash
# Runs the cluster demo: an unchanged application whose Router spans three nodes, one of which is killed.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
prepare_harness
GAZPACHO=$ROOT/bin/gazpacho exec "$NODE" "$HARNESS/demo/cluster.js" "$@"
