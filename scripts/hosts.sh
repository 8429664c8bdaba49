# Source it after lib.sh: hosts on a network of their own, made of network namespaces, with a cluster of three nodes on them.
#
#   gzp-a, gzp-b, gzp-c   10.0.0.1, 10.0.0.2, 10.0.0.3   a media node each
#   gzp-app               10.0.0.10                      the application's worker
#   gzp-peers             10.0.0.20                      what connects to the application: peers, browsers, tests
#   gzp-switch            no address                     the bridge that connects them
#
# Nothing leads out of this network, so it neither disturbs the machine's own nor depends on it.

HOSTS_NODES=(a b c)
HOSTS_PIDS=()

# start_hosts FOLDER: makes the hosts, starts the nodes, sets the environment for workers, and sees to it that all is removed when
# the script ends. FOLDER gets logs, certificates, and worker, which starts the worker on its host.
start_hosts() {
	local folder=$1 name i=1 addresses=()
	[ "$(uname)" = Linux ] || die "hosts are made of network namespaces, which only Linux has"
	[ "$(id -u)" = 0 ] || die "making network namespaces takes root: sudo make hosts, or run it in a virtual machine of yours"
	need_package ip iproute2
	exec 9>/run/gzp-hosts.lock
	flock -n 9 || die "another run has these network namespaces: wait until it has ended"
	stop_hosts # what a run that was killed left
	trap stop_hosts EXIT
	rm -rf "$folder"
	mkdir -p "$folder"
	ip netns add gzp-switch 2>"$folder/ip.log" ||
		die "this machine lets nobody make network namespaces ($(cat "$folder/ip.log")): containers need --privileged for it"
	ip -n gzp-switch link add bridge type bridge
	ip -n gzp-switch link set bridge up
	"$ROOT/bin/gazpacho" certificates --tls-dir "$folder/tls" ca >/dev/null
	"$ROOT/bin/gazpacho" certificates --tls-dir "$folder/tls" app hosts >/dev/null
	"$ROOT/bin/gazpacho" certificates --tls-dir "$folder/tls" operator hosts >/dev/null
	add_host app 10.0.0.10
	add_host peers 10.0.0.20
	for name in "${HOSTS_NODES[@]}"; do
		"$ROOT/bin/gazpacho" certificates --tls-dir "$folder/tls" node "$name" >/dev/null
		add_host "$name" "10.0.0.$i"
		ip netns exec "gzp-$name" "$ROOT/bin/gazpacho" node --name "$name" --listen "10.0.0.$i:7000" --tls-dir "$folder/tls" \
			>"$folder/$name.out" 2>"$folder/$name.log" 9>&- &
		HOSTS_PIDS+=($!)
		addresses+=("10.0.0.$i:7000")
		i=$((i + 1))
	done
	GAZPACHO_CLUSTER=$(IFS=,; echo "${addresses[*]}")
	export GAZPACHO_CLUSTER GAZPACHO_TLS_DIR=$folder/tls GAZPACHO_PLACEMENT=spread
	until on_host app "$ROOT/bin/gazpacho" status >/dev/null 2>&1; do
		kill -0 "${HOSTS_PIDS[@]}" 2>/dev/null || die "a node did not start: $(cat "$folder"/?.log)"
	done
	printf '#!/bin/sh\nexec ip netns exec gzp-app %q "$@"\n' "$WORKER" >"$folder/worker"
	chmod +x "$folder/worker"
}

# add_host NAME ADDRESS: makes a host and plugs it into the switch.
add_host() {
	ip netns add "gzp-$1"
	ip -n gzp-switch link add name "to-$1" type veth peer name eth0 netns "gzp-$1"
	ip -n gzp-switch link set "to-$1" master bridge up
	ip -n "gzp-$1" address add "$2/24" dev eth0
	ip -n "gzp-$1" link set lo up
	ip -n "gzp-$1" link set eth0 up
	ip -n "gzp-$1" route add default dev eth0
}

# on_host NAME COMMAND…: runs a command on a host.
on_host() {
	local host=$1
	shift
	ip netns exec "gzp-$host" "$@"
}

# stop_hosts ends the nodes and removes the hosts.
stop_hosts() {
	[ ${#HOSTS_PIDS[@]} = 0 ] || kill -INT "${HOSTS_PIDS[@]}" 2>/dev/null || true
	wait "${HOSTS_PIDS[@]}" 2>/dev/null || true
	HOSTS_PIDS=()
	local name
	for name in "${HOSTS_NODES[@]}" app peers switch; do
		ip netns delete "gzp-$name" 2>/dev/null || true
	done
}
