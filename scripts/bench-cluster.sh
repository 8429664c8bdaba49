#!/usr/bin/env bash
# Measures what a cluster costs, and what the worker costs without one, and prints both as markdown. BASE=… is a revision whose worker is
# measured beside this one.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
need_command go "install Go 1.26 or newer (https://go.dev/dl)"
prepare_harness
FOLDER=$BUILD/bench
mkdir -p "$FOLDER"
cd "$ROOT"
go test -c -o "$FOLDER/cluster.test" ./scaling/remote

# measure BENCHMARK TIMES
measure() { "$FOLDER/cluster.test" -test.run '^$' -test.bench "$1" -test.benchtime "$2"; }

say "load: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores"
{
	measure 'Request' 20000x
	measure 'Consume' 500x
	measure 'RelayedPacket/burst=1$' 2500x
	measure 'RelayedPacket/burst=10$' 250x
	measure 'RelayMemory' 1x
	measure 'LateNode' 5000x
	measure 'Rooms' 1000x
} | tee "$FOLDER/cluster.txt" >&2
say "load: $(cut -d' ' -f1-3 /proc/loadavg)"
printf '| benchmark | figure | |\n|---|---|---|\n'
awk '/^Benchmark/ {
	sub(/^Benchmark/, "", $1); sub(/-[0-9]+$/, "", $1)
	for (i = 3; i < NF; i += 2) if ($(i + 1) !~ /^(ns|B|allocs)\/op$/) printf "| %s | %s | %s |\n", $1, $(i + 1), $i
}' "$FOLDER/cluster.txt"

WORKERS=("this revision=$WORKER")
if [ -n "${BASE:-}" ]; then
	rm -rf "$FOLDER/base"
	mkdir -p "$FOLDER/base"
	git archive "$BASE" | tar -x -C "$FOLDER/base"
	(cd "$FOLDER/base" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$FOLDER/base-worker" ./cmd/mediasoup-worker)
	WORKERS+=("$BASE=$FOLDER/base-worker")
fi
printf '\n| worker without a cluster | start, median | fastest | CPU time | memory when idle | binary |\n|---|---|---|---|---|---|\n'
for turn in 1 2; do # in turns, since other work on the machine comes and goes
	for worker in "${WORKERS[@]}"; do
		MEDIASOUP_WORKER_BIN=${worker#*=} "$NODE" "$HARNESS/bench/start.js" "${worker%%=*}, $turn"
	done
done
