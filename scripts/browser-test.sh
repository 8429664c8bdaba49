#!/usr/bin/env bash
# Runs calls between pages of a real browser: mediasoup-client in Chromium, the unchanged mediasoup with this worker on the
# server. Arguments: test files (default: all of node-harness/browser/test). CHROMIUM_BIN=… and WORKER_BIN=… select binaries.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
need_chromium
prepare_harness
build_guests
npm_ci "$HARNESS/browser"
npm_ci "$HARNESS/conference"
export TEST_MINUTES=${TEST_MINUTES:-30} GAZPACHO=$ROOT/bin/gazpacho
[ $# -gt 0 ] || set -- "$HARNESS"/browser/test/*.test.js
exec "$NODE" "$HARNESS/run-tests.js" "$@"
