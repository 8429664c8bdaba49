#!/usr/bin/env bash
# One Router over three hosts: media, data, encryption on the wire, and a browser that moves. Needs root. Arguments go to the Go test.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
source "$ROOT/scripts/hosts.sh"
need_command go "install Go 1.26 or newer (https://go.dev/dl)"
(cd "$ROOT/peer-tests" && go vet ./hosts && go test -c -o "$BUILD/hosts.test" ./hosts)
start_hosts "$BUILD/hosts"
cd "$ROOT/peer-tests/hosts"
WORKER_BIN=$BUILD/hosts/worker on_host peers "$BUILD/hosts.test" -test.v -test.timeout 15m "$@"
