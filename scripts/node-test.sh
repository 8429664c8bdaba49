#!/usr/bin/env bash
# Runs the integration tests: the unchanged mediasoup Node API against this worker. Arguments: test files (default: all).
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
prepare_harness
exec "$NODE" "$HARNESS/run-tests.js" "$@"
