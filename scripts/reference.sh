#!/usr/bin/env bash
# Writes docs/reference.md: what --help of each program and command prints. --check: fails if it is out of date instead.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"
PAGE=docs/reference.md
mkdir -p "$BUILD"
for program in mediasoup-worker gazpacho; do
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$BUILD/reference-$program" "./cmd/$program"
done

# help TITLE PROGRAM ARGUMENT…: a section. Without an environment, nothing that it prints depends on this machine.
help() {
	local title=$1 program=$2
	shift 2
	printf '\n## %s\n\n```\n' "$title"
	env -i "$BUILD/reference-$program" "$@" --help
	printf '```\n'
}

page() {
	echo "# Reference"
	echo
	echo "What \`--help\` prints, written by \`make generate\`. What the settings are for: [operations.md](operations.md), [cluster.md](cluster.md)."
	help mediasoup-worker mediasoup-worker
	help gazpacho gazpacho
	local command
	for command in $(env -i "$BUILD/reference-gazpacho" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'); do
		help "gazpacho $command" gazpacho "$command"
	done
}

if [ "${1:-}" = --check ]; then
	page | diff "$PAGE" - >&2 || die "$PAGE is out of date (run: make generate)"
else
	page >"$PAGE"
fi
