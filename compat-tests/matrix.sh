#!/usr/bin/env bash
# Runs the suites that each release of mediasoup ships against this worker, one release after another, and prints how many
# of their tests pass. Every test must pass, except those listed in compat-tests/known-failures.txt. Releases that npm does not
# have here are emulated (see run.sh).
#
# Usage: compat-tests/matrix.sh [--packages | --emulated | --dialects | --few | RELEASE…] [-- suite…]
#   without releases  --packages, then --emulated
#   --packages        the releases in fbs/schema/releases.txt whose packages were read
#   --emulated        the others, and 3.99.0: a future release, whose schema the worker has to read from its package
#   --dialects        the newest release of each dialect
#   --few             the newest, the oldest, and three that differ most, as in continuous integration
set -euo pipefail
source "$(dirname "$0")/../scripts/lib.sh"
cd "$ROOT"

TABLE=fbs/schema/releases.txt
RELEASES=()
packages() { mapfile -t -O ${#RELEASES[@]} RELEASES < <(awk '$3 == "package" { print $1 }' "$TABLE"); }
emulated() { mapfile -t -O ${#RELEASES[@]} RELEASES < <(awk '$1 != "#" && $3 != "package" { print $1 } END { print "3.99.0" }' "$TABLE"); }
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	case $1 in
	--packages) packages ;;
	--emulated) emulated ;;
	--dialects) mapfile -t RELEASES < <(awk '$1 != "#" { last[$2] = $1; if (!seen[$2]++) order[++n] = $2 } END { for (i = 1; i <= n; i++) print last[order[i]] }' "$TABLE") ;;
	--few) RELEASES=(3.13.0 3.13.24 3.16.0 3.19.22 "$(awk 'END { print $1 }' "$TABLE")") ;;
	*) RELEASES+=("$1") ;;
	esac
	shift
done
[ "${1:-}" != -- ] || shift
[ ${#RELEASES[@]} -gt 0 ] || { packages && emulated; }

FAILED=0
for release in "${RELEASES[@]}"; do
	log=$BUILD/compat/matrix-$release.log
	mkdir -p "$BUILD/compat"
	rm -f "$BUILD/compat/$release/results/summary.json"
	code=0
	compat-tests/run.sh --release "$release" --all "$@" >"$log" 2>&1 || code=1
	"$(node_bin)" compat-tests/matrix.mjs "$BUILD/compat" "$release"
	if [ "$code" != 0 ]; then
		FAILED=1
		grep '^error:' "$log" || true # what is wrong beside the tests, such as a node that was not used
	fi
done
"$(node_bin)" compat-tests/matrix.mjs "$BUILD/compat" --total "${RELEASES[@]}"
exit "$FAILED"
