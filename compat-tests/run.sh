#!/usr/bin/env bash
# Runs mediasoup's own test suites, as npm ships them, against our worker binary.
#
# Usage: compat-tests/run.sh [--release 3.27.1] [--worker PATH] [--mode MODE] [--update | --all] [suite…]
#   suite      a name such as Worker or ortc (test-Worker.js); all suites when none is given
#   --update   writes what passed into compat-tests/expected/<release>.txt
#   --mode     inprocess (default): one engine; local: three nodes in the worker's process, over which each Router is spread.
#              MODE=… does the same. In mode local, relays and the use of every node are demanded when all suites run.
#   --all      expects every test to pass, but for those that compat-tests/known-failures.txt lists
# Exit code 0: every test on the expected list passed and no process was left behind.
# A release without a lock file in compat-tests/releases is installed as npm resolves it today.
set -euo pipefail
source "$(dirname "$0")/../scripts/lib.sh"

RELEASE=3.27.1
WORKER=${MEDIASOUP_WORKER_BIN:-$ROOT/bin/mediasoup-worker}
MODE=${MODE:-inprocess}
RUNNER_ARGS=()
SUITES=0
while [ $# -gt 0 ]; do
	case $1 in
	--release) RELEASE=${2:?--release wants a number}; shift 2 ;;
	--release=*) RELEASE=${1#*=}; shift ;;
	--worker) WORKER=${2:?--worker wants a path}; shift 2 ;;
	--worker=*) WORKER=${1#*=}; shift ;;
	--mode) MODE=${2:?--mode wants a name}; shift 2 ;;
	--mode=*) MODE=${1#*=}; shift ;;
	--update | --all) RUNNER_ARGS+=("$1"); shift ;;
	-*) die "unknown option $1" ;;
	*) RUNNER_ARGS+=("$1"); SUITES=$((SUITES + 1)); shift ;;
	esac
done
WORKER=$(realpath -m "$WORKER")
[ -x "$WORKER" ] || die "no worker binary at $WORKER (run: make)"

case $MODE in
inprocess) ;;
local)
	COUNTERS=$(mktemp)
	trap 'rm -f "$COUNTERS"' EXIT
	export GAZPACHO_CLUSTER=local:3 GAZPACHO_CLUSTER_COUNTERS=$COUNTERS
	;;
*) die "no mode $MODE: there are inprocess and local" ;;
esac

HERE=$ROOT/compat-tests
COMPAT=$BUILD/compat
HOME_OF_RELEASE=$COMPAT/$RELEASE
[[ $RELEASE =~ ^3\.[0-9]+\.[0-9]+$ ]] || die "not a mediasoup release: $RELEASE"

# npm_resolve RELEASE FOLDER: installs a release with whatever versions npm picks for its dependencies, once.
npm_resolve() {
	local release=$1 folder=$2 extra=
	[ -f "$folder/package-lock.json" ] && [ -d "$folder/node_modules/mediasoup" ] && return 0
	need_command npm "install npm (it comes with Node.js)"
	say "npm install of mediasoup $release"
	mkdir -p "$folder"
	# The suites of 3.13.0 to 3.13.5 want a helper whose interface has changed since.
	case $release in 3.13.0 | 3.13.1 | 3.13.5) extra=', "pick-port": "1.0.1"' ;; esac
	printf '{ "private": true, "dependencies": { "mediasoup": "%s"%s } }\n' "$release" "$extra" >"$folder/package.json"
	(cd "$folder" && npm install --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
		die "npm could not install mediasoup $release"
}

NODE=$(node_bin)
copy_package "$HERE/suite" "$COMPAT"
npm_ci "$COMPAT"
if [ -f "$HERE/releases/$RELEASE/package-lock.json" ]; then
	copy_package "$HERE/releases/$RELEASE" "$HOME_OF_RELEASE"
	npm_ci "$HOME_OF_RELEASE"
else
	npm_resolve "$RELEASE" "$HOME_OF_RELEASE"
fi

# Jest does not run tests below a node_modules folder, so the package is copied out of it, once per installation.
if ! cmp -s "$HOME_OF_RELEASE/package-lock.json" "$HOME_OF_RELEASE/mediasoup/.copied-from"; then
	rm -rf "$HOME_OF_RELEASE/mediasoup"
	cp -r "$HOME_OF_RELEASE/node_modules/mediasoup" "$HOME_OF_RELEASE/mediasoup"
	# Up to 3.13.5, the folder of the tests had another name.
	for tests in "$HOME_OF_RELEASE"/mediasoup/node/lib/test "$HOME_OF_RELEASE"/mediasoup/node/lib/tests; do
		[ -d "$tests" ] || continue
		(cd "$ROOT" && go run ./compat-tests/testcert "$tests/data")
		# Releases 3.13.0 and 3.13.1 shipped a "test.only", which keeps the other tests of that suite from running.
		sed -i 's/^test\.only(/test(/' "$tests"/test-*.js
	done
	cp "$HOME_OF_RELEASE/package-lock.json" "$HOME_OF_RELEASE/mediasoup/.copied-from"
fi

PATH=$(dirname "$NODE"):$PATH
export PATH
if [ "$MODE" = inprocess ]; then
	exec "$NODE" "$HERE/run.mjs" --release "$RELEASE" --worker "$WORKER" --home "$COMPAT" "${RUNNER_ARGS[@]}"
fi
"$NODE" "$HERE/run.mjs" --release "$RELEASE" --worker "$WORKER" --home "$COMPAT" "${RUNNER_ARGS[@]}"
# A mode that never used what it is for has tested nothing.
"$NODE" "$HERE/counters.mjs" "$COUNTERS" "$([ "$SUITES" -eq 0 ] && echo all || echo some)"
