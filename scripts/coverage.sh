#!/usr/bin/env bash
# Tests what an application over several nodes is made of, and checks that the tests reach all of its statements but those that
# scaling/uncovered.txt names with reasons.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"
need_command go "install Go 1.26 or newer (https://go.dev/dl)"
need_c_compiler
mkdir -p "$BUILD"

measure() {
	CGO_ENABLED=1 go test -race -count=1 -shuffle=on -timeout 10m -coverpkg=./scaling/...,./pipe/... -coverprofile="$BUILD/coverage.out" \
		./scaling/... ./pipe/...
}
gate() { go run ./internal/coverage "$BUILD/coverage.out" scaling/uncovered.txt; }

measure
if ! gate; then
	# What depends on what the scheduler does first is reached by one of two runs; what no test reaches, by neither.
	say "once more, as a statement may have been missed by chance"
	measure
	gate
fi
