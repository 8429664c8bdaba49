#!/usr/bin/env bash
# Faults of a cluster: nodes, networks and applications fail under load, and what the application hears of it is compared with
# golden lists (node-harness/faults/golden). Arguments: --quick (what make test runs), --seeds N, --first N, --update, names of faults.
# Some need network namespaces, and so root or user namespaces; they are not among the quick ones.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
prepare_harness
export GAZPACHO=$ROOT/bin/gazpacho
code=0
"$NODE" "$HARNESS/faults/run.js" "$@" || code=1
[[ " $* " != *" --quick "* ]] || exit "$code"

namespace=(unshare --net)
[ "$(id -u)" = 0 ] || namespace=(unshare --user --map-root-user --net)
need_command ip "install iproute2"
"${namespace[@]}" true || die "faults between nodes need network namespaces: be root, or allow user namespaces"
FAULTS_NETWORK=1 "${namespace[@]}" "$NODE" "$HARNESS/faults/run.js" "$@" || code=1
exit "$code"
