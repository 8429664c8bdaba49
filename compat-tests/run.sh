#!/usr/bin/env bash
# Runs mediasoup's own test suites, as npm ships them, against this worker.
#
# Usage: compat-tests/run.sh [--release 3.27.1] [--worker PATH] [--update | --all] [suite…]
#   suite      a name such as Worker or ortc (test-Worker.js); default: all suites
#   --update   writes the tests that passed to compat-tests/expected/<release>.txt
#   --all      expects every test to pass, except those listed in compat-tests/known-failures.txt
# MODE=local|inprocess|remote|nodes|cluster says what the worker is: an engine (default), or a front over three nodes in its process, over
# one that is a process, over three, or over three that find each other (scripts/nodes.sh). With KILL=20 a node is killed every 20 s and
# started again. A test that runs meanwhile may fail with what compat-tests/killed-node.txt lists; all others must pass.
# Exit code 0: every expected test passed and no process was left behind.
# A release without a lock file in compat-tests/releases is installed as npm resolves it today. One that npm does not have here is
# emulated by a copy of one with the same schema and another version number (emulate.mjs).
set -euo pipefail
source "$(dirname "$0")/../scripts/lib.sh"
source "$ROOT/scripts/nodes.sh"

RELEASE=3.27.1
WORKER=${MEDIASOUP_WORKER_BIN:-$ROOT/bin/mediasoup-worker}
RUNNER_ARGS=()
while [ $# -gt 0 ]; do
	case $1 in
	--release) RELEASE=${2:?--release wants a number}; shift 2 ;;
	--release=*) RELEASE=${1#*=}; shift ;;
	--worker) WORKER=${2:?--worker wants a path}; shift 2 ;;
	--worker=*) WORKER=${1#*=}; shift ;;
	--update | --all) RUNNER_ARGS+=("$1"); shift ;;
	-*) die "unknown option $1" ;;
	*) RUNNER_ARGS+=("$1"); shift ;;
	esac
done
WORKER=$(realpath -m "$WORKER")
[ -x "$WORKER" ] || die "no worker binary at $WORKER (run: make)"

HERE=$ROOT/compat-tests
COMPAT=$BUILD/compat
HOME_OF_RELEASE=$COMPAT/$RELEASE
[[ $RELEASE =~ ^3\.[0-9]+\.[0-9]+$ ]] || die "not a mediasoup release: $RELEASE"

# npm_resolve RELEASE FOLDER: installs a release, once, with the versions that npm picks for its dependencies.
npm_resolve() {
	local release=$1 folder=$2 extra=
	[ -f "$folder/package-lock.json" ] && [ -d "$folder/node_modules/mediasoup" ] && return 0
	need_command npm "install npm (it comes with Node.js)"
	say "npm install of mediasoup $release"
	mkdir -p "$folder"
	# The suites of 3.13.0 to 3.13.5 need an old version of a helper whose interface has changed.
	case $release in 3.13.0 | 3.13.1 | 3.13.5) extra=', "pick-port": "1.0.1"' ;; esac
	printf '{ "private": true, "dependencies": { "mediasoup": "%s"%s } }\n' "$release" "$extra" >"$folder/package.json"
	(cd "$folder" && npm install --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
		die "npm could not install mediasoup $release"
}

NODE=$(node_bin)
copy_package "$HERE/suite" "$COMPAT"
npm_ci "$COMPAT"
PACKAGE=$("$NODE" "$HERE/emulate.mjs" --package-for "$RELEASE")
HOME_OF_PACKAGE=$COMPAT/$PACKAGE
if [ -f "$HERE/releases/$PACKAGE/package-lock.json" ]; then
	copy_package "$HERE/releases/$PACKAGE" "$HOME_OF_PACKAGE"
	npm_ci "$HOME_OF_PACKAGE"
else
	npm_resolve "$PACKAGE" "$HOME_OF_PACKAGE"
fi
if [ "$PACKAGE" != "$RELEASE" ]; then
	mkdir -p "$HOME_OF_RELEASE"
	ln -sfn "../$PACKAGE/node_modules" "$HOME_OF_RELEASE/node_modules"
fi

# Jest does not run tests below a node_modules folder, so the package is copied, once per installation.
if ! cmp -s "$HOME_OF_PACKAGE/package-lock.json" "$HOME_OF_RELEASE/mediasoup/.copied-from"; then
	rm -rf "$HOME_OF_RELEASE/mediasoup"
	cp -r "$HOME_OF_PACKAGE/node_modules/mediasoup" "$HOME_OF_RELEASE/mediasoup"
	[ "$PACKAGE" = "$RELEASE" ] || "$NODE" "$HERE/emulate.mjs" "$HOME_OF_RELEASE/mediasoup" "$RELEASE"
	# Up to 3.13.5, the folder of the tests had another name.
	for tests in "$HOME_OF_RELEASE"/mediasoup/node/lib/test "$HOME_OF_RELEASE"/mediasoup/node/lib/tests; do
		[ -d "$tests" ] || continue
		(cd "$ROOT" && go run ./compat-tests/testcert "$tests/data")
		# Releases 3.13.0 and 3.13.1 shipped a "test.only", which keeps the other tests of that suite from running.
		sed -i 's/^test\.only(/test(/' "$tests"/test-*.js
	done
	cp "$HOME_OF_PACKAGE/package-lock.json" "$HOME_OF_RELEASE/mediasoup/.copied-from"
fi

PATH=$(dirname "$NODE"):$PATH
export PATH
MODE=${MODE:-local}
start_nodes "$MODE" "$COMPAT/nodes-$RELEASE"
"$NODE" "$HERE/run.mjs" --release "$RELEASE" --worker "$WORKER" --home "$COMPAT" "${RUNNER_ARGS[@]}"
check_nodes "$MODE"
