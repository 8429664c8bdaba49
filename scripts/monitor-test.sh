#!/usr/bin/env bash
# The monitor's page in Chromium, while the demo's conference runs over three nodes of which one is killed. Screenshots are in build/monitor.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
need_chromium
prepare_harness
build_guests
npm_ci "$HARNESS/browser"
npm_ci "$HARNESS/conference"
export TEST_MINUTES=${TEST_MINUTES:-30} GAZPACHO=$ROOT/bin/gazpacho
exec "$NODE" "$HARNESS/run-tests.js" "$HARNESS/monitor/monitor.test.js"
