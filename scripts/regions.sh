#!/usr/bin/env bash
# A cluster over two regions, with 40 ms of delay between them, on hosts that are network namespaces: what crosses between the regions, NAT,
# and a firewall that drops UDP. Needs root. Arguments go to the Go tests.
#
#   gzr-a, gzr-b             10.1.1.2 and .3, 10.1.2.2 and .3   nodes in region eu: for sessions and media, and for media between nodes
#   gzr-c, gzr-d             10.2.1.2 and .3, 10.2.2.2 and .3   nodes in region us
#   gzr-app-eu, gzr-app-us   10.1.9.2, 10.2.9.2                 applications
#   gzr-peers                10.3.0.2                           the tests, with their peers
#   gzr-net                                                     connects all of them; the tests add the delay and NAT
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_command go "install Go 1.26 or newer (https://go.dev/dl)"
[ "$(uname)" = Linux ] || die "hosts are made of network namespaces, which only Linux has"
[ "$(id -u)" = 0 ] || die "making network namespaces takes root: sudo make regions, or run it in a virtual machine of yours"
need_package ip iproute2
(cd "$ROOT/peer-tests" && go vet ./regions && go test -c -o "$BUILD/regions.test" ./regions)

HOSTS=(a b c d app-eu app-us peers net)
remove_hosts() {
	local name
	for name in "${HOSTS[@]}"; do
		ip netns delete "gzr-$name" 2>/dev/null || true
	done
}

# add_host NAME PREFIX: a host with the address PREFIX.2, and PREFIX.3.
add_host() {
	ip netns add "gzr-$1"
	ip -n gzr-net link add name "to-$1" type veth peer name eth0 netns "gzr-$1"
	ip -n gzr-net address add "$2.1/24" dev "to-$1"
	ip -n gzr-net link set "to-$1" up
	ip -n "gzr-$1" address add "$2.2/24" dev eth0
	ip -n "gzr-$1" address add "$2.3/24" dev eth0
	ip -n "gzr-$1" link set lo up
	ip -n "gzr-$1" link set eth0 up
	ip -n "gzr-$1" route add default via "$2.1"
}

exec 9>/run/gzr-hosts.lock
flock -n 9 || die "another run has these network namespaces: wait until it has ended"
remove_hosts # what a run that was killed left
trap remove_hosts EXIT
FOLDER=$BUILD/regions
rm -rf "$FOLDER"
mkdir -p "$FOLDER"
ip netns add gzr-net 2>"$FOLDER/ip.log" ||
	die "this machine lets nobody make network namespaces ($(cat "$FOLDER/ip.log")): containers need --privileged for it"
# The way back of a packet may be another one, as between regions.
ip netns exec gzr-net sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter; echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter'
add_host a 10.1.1
add_host b 10.1.2
add_host c 10.2.1
add_host d 10.2.2
add_host app-eu 10.1.9
add_host app-us 10.2.9
add_host peers 10.3.0
for args in ca "app hosts" "operator hosts" "node a" "node b" "node c" "node d"; do
	# shellcheck disable=SC2086 # two words
	"$ROOT/bin/gazpacho" certificates --tls-dir "$FOLDER/tls" $args >/dev/null
done
export GAZPACHO_TLS_DIR=$FOLDER/tls NODE_BIN=$ROOT/bin/gazpacho WORKER_BIN=$ROOT/bin/mediasoup-worker
cd "$ROOT/peer-tests/regions"
ip netns exec gzr-peers "$BUILD/regions.test" -test.v -test.timeout 10m "$@" 9>&-
