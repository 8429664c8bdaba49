#!/usr/bin/env bash
# Measures WebRtcTransports behind one port of a WebRtcServer, in conferences at a normal and at a very high packet rate.
# WORKER_BIN=… selects another worker; arguments go to go test.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_command go "install Go 1.26 or newer (https://go.dev/dl)"
WORKER_BIN=$(realpath "${WORKER_BIN:-$ROOT/bin/mediasoup-worker}")
export WORKER_BIN
cd "$ROOT/peer-tests"
go test -run '^$' -bench Conference -benchtime 1000x "$@" .
go test -run '^$' -bench RoomsBehindOnePort -benchtime 40000x "$@" .
