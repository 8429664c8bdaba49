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

# build_stepping: nodes and workers whose wall clock steps by an hour every 5 s, forth and back. What time passes is not changed, as
# when a host's clock is set: time.Now() tells both.
build_stepping() {
	local out=$BUILD/faults/stepping time
	time=$(go env GOROOT)/src/time/time.go
	mkdir -p "$out"
	sed 's/^\tsec, nsec, mono := runtimeNow()$/&\n\tsec += [...]int64{0, 3600, 0, -3600}[(mono-startNano)\/5e9%4]/' "$time" >"$out/time"
	! cmp -s "$time" "$out/time" || die "time.Now() of this Go is another one than expected here: see build_stepping"
	printf '{"Replace": {"%s": "%s"}}' "$time" "$out/time" >"$out/overlay.json"
	(cd "$ROOT" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -overlay "$out/overlay.json" -o "$out/" ./cmd/gazpacho ./cmd/mediasoup-worker)
	export GAZPACHO_STEPPING=$out/gazpacho WORKER_STEPPING=$out/mediasoup-worker
}

# wants FAULT: whether that fault will run: it is named, or no fault is.
wants() { [[ "$arguments" != *" --quick "* && ("$arguments" == *" $1 "* || ! "$arguments" =~ " "[a-z]) ]]; }

code=0
arguments=" $* "
! wants rolling-upgrade || build_before
! wants clock-steps || build_stepping
"$NODE" "$HARNESS/faults/run.js" "$@" || code=1
[[ " $* " != *" --quick "* ]] || exit "$code"

namespace=(unshare --net)
[ "$(id -u)" = 0 ] || namespace=(unshare --user --map-root-user --net)
need_command ip "install iproute2"
"${namespace[@]}" true || die "faults between nodes need network namespaces: be root, or allow user namespaces"
FAULTS_NETWORK=1 "${namespace[@]}" "$NODE" "$HARNESS/faults/run.js" "$@" || code=1
exit "$code"
