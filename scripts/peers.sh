#!/usr/bin/env bash
# Tests the worker with WebRTC peers in Go (peer-tests): pion/webrtc, and peers that misbehave. Arguments go to go test.
# The worker is built with the race detector unless WORKER_BIN names one. MODE=local|remote|nodes as for the suites.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/nodes.sh"
need_command go "install Go 1.26 or newer (https://go.dev/dl)"
need_c_compiler
if [ -n "${WORKER_BIN:-}" ]; then
	WORKER_BIN=$(realpath "$WORKER_BIN")
	export WORKER_BIN
fi
mkdir -p "$BUILD"
MODE=${MODE:-local}
start_nodes "$MODE" "$BUILD/peer-nodes"
cd "$ROOT/peer-tests"
go vet ./...
# One line per test, and at the end the line that scripts/test.sh adds up.
code=0
go test -v -count=1 -timeout 15m "$@" . ./guest 2>&1 | tee "$BUILD/peers.log" | grep -Ev '^(=== |[[:space:]]*--- SKIP)' || code=$?
passed=$(grep -Ec '^[[:space:]]*--- PASS' "$BUILD/peers.log" || true)
failed=$(grep -Ec '^[[:space:]]*--- FAIL' "$BUILD/peers.log" || true)
grep -q '^FAIL' "$BUILD/peers.log" && code=1
check_nodes "$MODE" || code=1
echo "$passed passed, $failed failed"
exit "$code"
