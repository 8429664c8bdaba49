#!/usr/bin/env bash
# Runs everything and ends with a summary; a failure does not keep the later steps from running.
# Steps: build, check (scripts/check.sh), compat (mediasoup's suites: the newest release, the oldest, and three in between),
# cluster (the newest release's suite over three nodes),
# node (our Node tests), peers (WebRTC peers in Go), metrics (as Prometheus sees them), monitor (its page in Chromium),
# install (the npm package), demo, demo-cluster, faults (those of a cluster that need no long wait).
set -uo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT" || exit
mkdir -p "$BUILD"
need_command go "install Go 1.26 or newer (https://go.dev/dl)"
need_command node "install Node.js and npm"

RESULTS=()
FAILED=0
PASSED_TESTS=0
FAILED_TESTS=0

# step NAME COMMAND…: runs one step, shows what it prints, adds up the lines "N passed, N failed" that it printed.
step() {
	local name=$1 log=$BUILD/test-$1.log started=$SECONDS code=0
	shift
	say "$name"
	"$@" 2>&1 | tee "$log"
	code=${PIPESTATUS[0]}
	local passed failed
	while read -r passed failed; do
		PASSED_TESTS=$((PASSED_TESTS + passed))
		FAILED_TESTS=$((FAILED_TESTS + failed))
	done < <(sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p' "$log")
	if [ "$code" = 0 ]; then
		RESULTS+=("ok      $name ($((SECONDS - started)) s)")
	else
		RESULTS+=("FAILED  $name ($((SECONDS - started)) s), log: build/test-$name.log")
		FAILED=1
	fi
	return "$code"
}

if step build make --no-print-directory build; then
	step check scripts/check.sh
	step compat compat-tests/matrix.sh --few
	step cluster env MODE=nodes compat-tests/run.sh
	step node scripts/node-test.sh
	step peers scripts/peers.sh
	step metrics scripts/metrics-test.sh
	step monitor scripts/monitor-test.sh
	step install scripts/install-test.sh
	step demo scripts/demo.sh
	step demo-cluster scripts/demo-cluster.sh
	step faults scripts/faults.sh --quick
fi

echo
printf '%s\n' "${RESULTS[@]}"
echo "$PASSED_TESTS passed, $FAILED_TESTS failed"
exit "$FAILED"
