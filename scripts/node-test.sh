#!/usr/bin/env bash
# Runs the integration tests: the unchanged mediasoup Node API against this worker, and the conference's server. Arguments: test files
# (default: all).
# MODE=local|remote|nodes|cluster: the worker is an engine (default), or a front over one node or three.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
source "$ROOT/scripts/nodes.sh"
prepare_harness
npm_ci "$HARNESS/conference"
need_package openssl openssl # the conference's certificate for other machines
export GAZPACHO=$ROOT/bin/gazpacho
case ${*:-all} in all | *sctp-peers*) need_aiortc ;; esac
MODE=${MODE:-local}
[ $# -gt 0 ] || set -- "$HARNESS"/test/*.test.js "$HARNESS"/conference/test/*.test.js
start_nodes "$MODE" "$BUILD/node-test-nodes"
"$NODE" "$HARNESS/run-tests.js" "$@"
check_nodes "$MODE"
