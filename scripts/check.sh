#!/usr/bin/env bash
# Checks the Go code: format, vet, staticcheck, tests with the race detector in random order (import rules are one of
# them), generated files, a short run of every fuzz target. FUZZTIME sets the length of one fuzz run (default 5s).
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"
need_command go "install Go 1.26 or newer (https://go.dev/dl)"

FUZZTIME=${FUZZTIME:-5s}

say "gofumpt"
unformatted=$(scripts/go-files.sh | xargs -r go tool -modfile=tools/go.mod gofumpt -l)
[ -z "$unformatted" ] || die "not formatted (run: make format):
$unformatted"

say "go vet"
go vet ./...

say "staticcheck"
go tool -modfile=tools/go.mod staticcheck ./...

say "generated files"
fbs/gen/generate.sh --check

# The codec's tests compare with the classes of mediasoup's own Node library.
fbs/gen/npm.sh >&2
PATH=$(dirname "$(node_bin)"):$PATH
export PATH

say "go test -race -shuffle=on"
need_c_compiler
need_package openssl openssl # a second DTLS implementation for the tests of engine/dtls
CGO_ENABLED=1 go test -race -shuffle=on -timeout 10m ./...

say "fuzz targets, $FUZZTIME each"
# Go's own -fuzztime now and then fails a run that found nothing ("context deadline exceeded": the end of the time meets
# the end of an input). A run that is interrupted, as by Ctrl-C, ends well, so that is how the time is limited here.
fuzz() {
	local folder=$1 target=$2 binary=$BUILD/fuzz/${1//\//-}.test
	if ! [ "$binary" -nt "$BUILD/fuzz/started" ]; then
		go test -c -fuzz "^$target\$" -o "$binary" "./$folder" || return
	fi
	(cd "$folder" && timeout --preserve-status --signal=INT --kill-after=60s "$FUZZTIME" "$binary" -test.run '^$' \
		-test.fuzz "^$target\$" -test.fuzzcachedir "$(go env GOCACHE)/fuzz/gazpacho/$folder")
}
mkdir -p "$BUILD/fuzz"
touch "$BUILD/fuzz/started"
# Both the list and the runs stop the script when they fail: no pipe hides their exit codes.
targets=$(scripts/go-files.sh | grep '_test\.go$' | xargs -r grep -H '^func Fuzz' | sed 's/^\(.*\)\/[^/]*:func \(Fuzz[A-Za-z0-9_]*\).*/\1 \2/' || true)
[ -n "$targets" ] || die "no fuzz target found: the search is broken"
while read -r folder target; do
	echo "$target ($folder)"
	fuzz "$folder" "$target" >"$BUILD/fuzz.log" 2>&1 </dev/null || {
		cat "$BUILD/fuzz.log"
		die "$target failed; the input is in $folder/testdata/fuzz"
	}
done <<<"$targets"

say "checks passed"
