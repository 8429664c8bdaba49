# Source it after lib.sh: runs a cluster for a mode of the suites, and checks afterwards that it was one.
#
#   local      the engine of the worker's process; nothing to start
#   inprocess  three nodes in the worker's process, without sessions
#   remote     one node: everything crosses a session
#   nodes      three nodes, each Router's transports spread over them on purpose, so that relays are needed
#   cluster    the same, but the nodes find each other by joining, and workers are told of two

# With KILL=20, a node is killed every 20 s, one after the other, and started again: in the last three modes.

# start_nodes MODE FOLDER: starts the mode's nodes, and sets the environment for workers.
start_nodes() {
	local mode=$1 count name addresses=()
	NODES_FOLDER=$2
	NODE_PIDS=()
	case $mode in
	local) return ;;
	inprocess) count=0 ;;
	remote) count=1 ;;
	nodes | cluster) count=3 ;;
	*) die "no mode $mode: there are local, inprocess, remote, nodes and cluster" ;;
	esac
	rm -rf "$NODES_FOLDER"
	mkdir -p "$NODES_FOLDER"
	export GAZPACHO_PLACEMENT=spread GAZPACHO_CLUSTER_COUNTERS=$NODES_FOLDER/counters
	if [ "$mode" = inprocess ]; then
		export GAZPACHO_CLUSTER=local:3
		NODE_NAMES=node1,node2,node3
		return
	fi
	trap stop_nodes EXIT
	[ "$mode" != cluster ] || prepare_cluster
	for name in a b c; do
		[ ${#NODE_PIDS[@]} -lt "$count" ] || break
		start_node "$mode" "$name"
		NODE_PIDS+=($!)
		addresses+=("unix:$NODES_FOLDER/$name.sock")
	done
	for name in "${addresses[@]}"; do
		until "$ROOT/bin/gazpacho" status --cluster "$name" >/dev/null 2>&1; do
			kill -0 "${NODE_PIDS[@]}" 2>/dev/null || die "a node did not start: $(cat "$NODES_FOLDER"/*.log)"
		done
	done
	GAZPACHO_CLUSTER=$(IFS=,; echo "${addresses[*]}")
	export GAZPACHO_CLUSTER
	NODE_NAMES=$GAZPACHO_CLUSTER
	if [ "$mode" = cluster ]; then
		until "$ROOT/bin/gazpacho" status --cluster "$GAZPACHO_CLUSTER" >"$NODES_FOLDER/status" 2>&1 &&
			[ "$(grep -c ' alive ' "$NODES_FOLDER/status")" = 3 ]; do
			kill -0 "${NODE_PIDS[@]}" 2>/dev/null || die "a node has ended: $(cat "$NODES_FOLDER"/*.log)"
		done
		GAZPACHO_CLUSTER=${addresses[0]},${addresses[1]}
		NODE_NAMES=$GAZPACHO_CLUSTER,c
	fi
	if [ -n "${KILL:-}" ]; then
		export NODE_KILLS=$NODES_FOLDER/kills # whoever judges the tests reads when nodes were away
		: >"$NODE_KILLS"
		kill_nodes "$mode" "$KILL" &
		KILLER=$!
		disown "${NODE_PIDS[@]}" # it ends them
		NODE_PIDS=()
	fi
}

# start_node MODE NAME: starts a node in the background.
start_node() {
	"$ROOT/bin/gazpacho" node --name "$2" --listen "unix:$NODES_FOLDER/$2.sock" $(joining "$1" "$2") \
		>>"$NODES_FOLDER/$2.out" 2>>"$NODES_FOLDER/$2.log" &
}

# kill_nodes MODE SECONDS: kills the nodes in turn, one each so many seconds, and starts each again a second later. It notes when each
# was killed, and when it was back, in milliseconds.
kill_nodes() {
	local mode=$1 seconds=$2 turn=0 names=(a b c) i tick
	trap 'kill -KILL "${NODE_PIDS[@]}" $(jobs -p) 2>/dev/null; exit' TERM
	sleep "$seconds" &
	wait $!
	while :; do
		i=$((turn++ % ${#NODE_PIDS[@]}))
		date +'%s%3N killed' >>"$NODE_KILLS"
		kill -KILL "${NODE_PIDS[i]}"
		wait "${NODE_PIDS[i]}" 2>/dev/null || true # without it, the shell would tell of the end
		sleep "$seconds" &
		tick=$!
		sleep 1 &
		wait $!
		start_node "$mode" "${names[i]}"
		NODE_PIDS[i]=$!
		until "$ROOT/bin/gazpacho" status --cluster "unix:$NODES_FOLDER/${names[i]}.sock" >/dev/null 2>&1; do
			kill -0 "${NODE_PIDS[i]}" || exit
		done
		date +'%s%3N back' >>"$NODE_KILLS"
		wait "$tick"
	done
}

# prepare_cluster makes certificates, and finds ports for the bus of nodes a and b.
prepare_cluster() {
	local name
	for name in ca "node a" "node b" "node c"; do
		"$ROOT/bin/gazpacho" certificates --tls-dir "$NODES_FOLDER/tls" $name >/dev/null
	done
	# shellcheck disable=SC2207
	BUS_PORTS=($("$(node_bin)" "$ROOT/scripts/node/ports.mjs" 2))
}

# joining MODE NODE: prints the options by which a node joins.
joining() {
	[ "$1" = cluster ] || return 0
	printf ' %s' --tls-dir "$NODES_FOLDER/tls" --join "127.0.0.1:${BUS_PORTS[0]},127.0.0.1:${BUS_PORTS[1]}"
	case $2 in
	a) printf ' %s' --bus --bus-address "127.0.0.1:${BUS_PORTS[0]}" ;;
	b) printf ' %s' --bus --bus-address "127.0.0.1:${BUS_PORTS[1]}" ;;
	esac
}

# stop_nodes ends the nodes.
stop_nodes() {
	if [ -n "${KILLER:-}" ]; then
		kill "$KILLER" 2>/dev/null || true
		wait "$KILLER" 2>/dev/null || true
		KILLER=
	fi
	[ ${#NODE_PIDS[@]} = 0 ] || kill -INT "${NODE_PIDS[@]}" 2>/dev/null || true
	wait "${NODE_PIDS[@]}" 2>/dev/null || true
	NODE_PIDS=()
}

# check_nodes MODE: prints what the fronts did, and fails unless every node was used and, with several, relays were made.
check_nodes() {
	[ "$1" = local ] && return
	"$(node_bin)" "$ROOT/scripts/node/counters.mjs" "$NODES_FOLDER/counters" "$1" "$NODE_NAMES"
}
