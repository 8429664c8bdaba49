#!/usr/bin/env bash
# Runs mediasoup's own test suites, as npm ships them, against our worker binary.
#
# Usage: compat-tests/run.sh [--release 3.27.1] [--worker PATH] [--update] [suite…]
#   suite      a name such as Worker or ortc (test-Worker.js); all suites when none is given
#   --update   writes what passed into compat-tests/expected/<release>.txt
# Exit code 0: every test on the expected list passed and no process was left behind.
set -euo pipefail
source "$(dirname "$0")/../scripts/lib.sh"

RELEASE=3.27.1
WORKER=${MEDIASOUP_WORKER_BIN:-$ROOT/bin/mediasoup-worker}
RUNNER_ARGS=()
while [ $# -gt 0 ]; do
	case $1 in
	--release) RELEASE=$2; shift 2 ;;
	--release=*) RELEASE=${1#*=}; shift ;;
	--worker) WORKER=$2; shift 2 ;;
	--worker=*) WORKER=${1#*=}; shift ;;
	*) RUNNER_ARGS+=("$1"); shift ;;
	esac
done
WORKER=$(realpath -m "$WORKER")
[ -x "$WORKER" ] || die "no worker binary at $WORKER (run: make)"

HERE=$ROOT/compat-tests
COMPAT=$BUILD/compat
HOME_OF_RELEASE=$COMPAT/$RELEASE
[[ $RELEASE =~ ^3\.[0-9]+\.[0-9]+$ ]] || die "not a mediasoup release: $RELEASE"
[ -f "$HERE/releases/$RELEASE/package-lock.json" ] || die "no lock file for mediasoup $RELEASE in compat-tests/releases"

NODE=$(node_bin)
copy_package "$HERE/suite" "$COMPAT"
npm_ci "$COMPAT"
copy_package "$HERE/releases/$RELEASE" "$HOME_OF_RELEASE"
npm_ci "$HOME_OF_RELEASE"

# Jest does not run tests below a node_modules folder, so the package is copied out of it, once per installation.
if ! cmp -s "$HOME_OF_RELEASE/package-lock.json" "$HOME_OF_RELEASE/mediasoup/.copied-from"; then
	rm -rf "$HOME_OF_RELEASE/mediasoup"
	cp -r "$HOME_OF_RELEASE/node_modules/mediasoup" "$HOME_OF_RELEASE/mediasoup"
	(cd "$ROOT" && go run ./compat-tests/testcert "$HOME_OF_RELEASE/mediasoup/node/lib/test/data")
	cp "$HOME_OF_RELEASE/package-lock.json" "$HOME_OF_RELEASE/mediasoup/.copied-from"
fi

PATH=$(dirname "$NODE"):$PATH
export PATH
exec "$NODE" "$HERE/run.mjs" --release "$RELEASE" --worker "$WORKER" --home "$COMPAT" "${RUNNER_ARGS[@]}"
