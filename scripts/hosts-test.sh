#!/usr/bin/env bash
# One Router over three hosts: media, data, what crosses the network, a page of Chromium that moves from node to node, and two applications
# that show each other's pages.
# Needs root. With arguments, only the Go tests run, with these arguments. CHROMIUM_BIN=… and WORKER_BIN=… select binaries.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
source "$ROOT/scripts/hosts.sh"
need_command go "install Go 1.26 or newer (https://go.dev/dl)"
(cd "$ROOT/peer-tests" && go vet ./hosts && go test -c -o "$BUILD/hosts.test" ./hosts)
if [ $# = 0 ]; then
	need_chromium
	prepare_harness
	npm_ci "$HARNESS/browser"
fi
FOLDER=$BUILD/hosts
start_hosts "$FOLDER"
# A second application of the same tenant, on the host of node c.
"$ROOT/bin/gazpacho" certificates --tls-dir "$FOLDER/tls" --tenant hosts app second >/dev/null
printf '#!/bin/sh\nexec ip netns exec gzp-c %q "$@"\n' "$WORKER" >"$FOLDER/second-worker"
chmod +x "$FOLDER/second-worker"
export GAZPACHO_NAME=hosts SECOND_WORKER_BIN=$FOLDER/second-worker GAZPACHO_RUN_DIR=$FOLDER/run
code=0
(cd "$ROOT/peer-tests/hosts" && WORKER_BIN=$FOLDER/worker on_host peers "$BUILD/hosts.test" -test.v -test.timeout 15m "$@") || code=1
if [ $# = 0 ]; then
	export MEDIASOUP_WORKER_BIN=$FOLDER/worker SCREENSHOTS=$FOLDER
	on_host peers "$NODE" "$HARNESS/run-tests.js" "$HARNESS"/browser/hosts/*.test.js || code=1
	say "screenshots: ${FOLDER#"$ROOT"/}/*.png"
fi
exit "$code"
