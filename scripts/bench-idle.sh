#!/usr/bin/env bash
# Measures what a cluster costs that does nothing: processes of `gazpacho node`, three of which have the bus, on a loopback interface of their
# own. Prints a table as markdown. NODES=… is how many there are (default: 3, then 100), SECONDS_MEASURED=… for how long (default: 60).
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need_command ip "install iproute2"
if [ -z "${BENCH_IDLE_INSIDE:-}" ]; then
	namespace=(unshare --net)
	[ "$(id -u)" = 0 ] || namespace=(unshare --user --map-root-user --net)
	"${namespace[@]}" true || die "to count only their own traffic, nodes need a network namespace: be root, or allow user namespaces"
	BENCH_IDLE_INSIDE=1 exec "${namespace[@]}" "$0"
fi
ip link set lo up
GAZPACHO=$ROOT/bin/gazpacho
MEASURED=${SECONDS_MEASURED:-60}
FOLDER=$BUILD/bench-idle
PIDS=()
stop() {
	[ ${#PIDS[@]} = 0 ] || kill -INT "${PIDS[@]}" 2>/dev/null || true
	wait
	PIDS=()
}
trap stop EXIT

# start COUNT: starts nodes, and waits until one of those without the bus, or the last one, knows all.
start() {
	local i args join=127.0.0.1:8001,127.0.0.1:8011,127.0.0.1:8021
	for ((i = 0; i < $1; i++)); do
		"$GAZPACHO" certificates --tls-dir "$FOLDER/tls" node "n$i" >/dev/null
		args=(--name "n$i" --listen "127.0.0.1:$((9000 + i))" --tls-dir "$FOLDER/tls" --join "$join")
		[ "$i" -ge 3 ] || args+=(--bus --bus-address "127.0.0.1:80${i}1")
		"$GAZPACHO" node "${args[@]}" >/dev/null 2>"$FOLDER/n$i.log" &
		PIDS+=($!)
	done
	until [ "$("$GAZPACHO" status --json --cluster "127.0.0.1:$((9000 + $1 - 1))" --tls-dir "$FOLDER/tls" 2>/dev/null | grep -c '"condition": "alive"')" = "$1" ]; do
		kill -0 "${PIDS[@]}" 2>/dev/null || die "a node did not start: $(cat "$FOLDER"/*.log)"
	done
}

# snapshot: for each process its CPU time in ticks and its memory in KB, of its own and with the program's; then the bytes of all packets.
snapshot() {
	local pid
	for pid in "${PIDS[@]}"; do
		echo "cpu $(awk '{ print $14 + $15 }' "/proc/$pid/stat") $(awk '/^(RssAnon|VmRSS):/ { printf "%s ", $2 }' "/proc/$pid/status")"
	done
	awk '$1 == "lo:" { print "net", $2, $3 }' /proc/net/dev
}

# measure COUNT: prints rows of the table.
measure() {
	rm -rf "$FOLDER"
	mkdir -p "$FOLDER"
	"$GAZPACHO" certificates --tls-dir "$FOLDER/tls" ca >/dev/null
	"$GAZPACHO" certificates --tls-dir "$FOLDER/tls" operator me >/dev/null
	start "$1"
	sleep 20 # what starting has caused
	snapshot >"$FOLDER/before"
	sleep "$MEASURED"
	snapshot >"$FOLDER/after"
	stop
	paste -d' ' "$FOLDER/before" "$FOLDER/after" | awk -v seconds="$MEASURED" -v ticks="$(getconf CLK_TCK)" -v count="$1" '
		function row(who, n, cpu, rss, anon) {
			if (n > 0) printf "| %d | %s | %.2f %% | %.0f MB | %.0f MB | |\n", count, who, 100 * cpu / n / ticks / seconds, rss / n / 1024, anon / n / 1024
		}
		$1 == "cpu" { bus = NR <= 3; n[bus]++; cpu[bus] += $6 - $2; rss[bus] += $7; anon[bus] += $8 }
		$1 == "net" { bytes = $5 - $2; packets = $6 - $3 }
		END {
			row("with the bus", n[1], cpu[1], rss[1], anon[1])
			row("without", n[0], cpu[0], rss[0], anon[0])
			printf "| %d | all | %.1f %% | | | %.1f KB/s, %.0f packets/s |\n", count, 100 * (cpu[0] + cpu[1]) / ticks / seconds, bytes / seconds / 1000, packets / seconds
		}'
}

say "load: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores"
printf '| nodes | of which | CPU of one core, each | memory, each | of its own | traffic of all |\n|---|---|---|---|---|---|\n'
for count in ${NODES:-3 100}; do
	measure "$count"
done
