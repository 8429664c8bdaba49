#!/usr/bin/env bash
# Faults of a cluster: nodes, networks and applications fail under load, and what the application hears of it is compared with
# golden lists (node-harness/faults/golden). Arguments: --quick (what make test runs), --seeds N, --first N, --update, names of faults.
# Some need network namespaces, and so root or user namespaces; they are not among the quick ones.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
prepare_harness
export GAZPACHO=$ROOT/bin/gazpacho

# build_before: what rolling-upgrade upgrades from: the revision BEFORE, or else this one under another version number.
build_before() {
	local source=$ROOT out=$BUILD/faults/before
	mkdir -p "$out"
	if [ -n "${BEFORE:-}" ]; then
		source=$out/$BEFORE
		rm -rf "$source"
		mkdir -p "$source"
		git -C "$ROOT" archive "$BEFORE" | tar -x -C "$source"
	fi
	(cd "$source" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-X main.version=before' -o "$out/" ./cmd/gazpacho ./cmd/mediasoup-worker)
	export GAZPACHO_BEFORE=$out/gazpacho WORKER_BEFORE=$out/mediasoup-worker
}

code=0
[[ " $* " == *" --quick "* ]] || build_before
"$NODE" "$HARNESS/faults/run.js" "$@" || code=1
[[ " $* " != *" --quick "* ]] || exit "$code"

namespace=(unshare --net)
[ "$(id -u)" = 0 ] || namespace=(unshare --user --map-root-user --net)
need_command ip "install iproute2"
"${namespace[@]}" true || die "faults between nodes need network namespaces: be root, or allow user namespaces"
FAULTS_NETWORK=1 "${namespace[@]}" "$NODE" "$HARNESS/faults/run.js" "$@" || code=1
exit "$code"
