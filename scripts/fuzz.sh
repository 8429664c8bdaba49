#!/usr/bin/env bash
# Fuzzes with random inputs, one target after the other, and says at the end what was found. It gates nothing: what a change
# must pass is the same in every run (scripts/check.sh). Inputs that fail are kept in the package's testdata/fuzz, where every
# later test run finds them. FUZZTIME is the time per target (default 1m), PACKAGE=engine/ice and TARGET=FuzzScript narrow it.
# Exit code 0: nothing was found. Ctrl-C ends the run with the summary of what it has seen.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"
need_command go "install Go 1.26 or newer (https://go.dev/dl)"

FUZZTIME=${FUZZTIME:-1m}
LOGS=$BUILD/fuzz
mkdir -p "$LOGS"
touch "$LOGS/started"

targets=$(scripts/go-files.sh | grep '_test\.go$' | xargs -r grep -H '^func Fuzz' |
	sed 's/^\(.*\)\/[^/]*:func \(Fuzz[A-Za-z0-9_]*\).*/\1 \2/' |
	awk -v folder="${PACKAGE:-}" -v target="${TARGET:-}" '(folder == "" || $1 == folder) && (target == "" || $2 == target)')
[ -n "$targets" ] || die "no fuzz target of that name or package"

INTERRUPTED=
trap 'INTERRUPTED=yes' INT
FINDINGS=()
NOTES=()

# A run that is interrupted ends well; Go's own -fuzztime now and then fails one that found nothing. The signal must reach the
# first process only (--foreground): a worker that ends by itself looks like a crash to it ("terminated unexpectedly: <nil>").
fuzz() {
	local folder=$1 target=$2 binary=$3
	(cd "$folder" && timeout --foreground --preserve-status --signal=INT --kill-after=2m "$FUZZTIME" "$binary" -test.run '^$' \
		-test.fuzz "^$target\$" -test.fuzzcachedir "$(go env GOCACHE)/fuzz/gazpacho/$folder")
}

# fails_again BINARY FOLDER TARGET INPUT: does an input fail in an ordinary run?
fails_again() { ! (cd "$2" && "$1" -test.count=3 -test.timeout 2m -test.run "^$3\$/^$4\$") >"$LOGS/again.log" 2>&1; }

# Known faults of Go's fuzzer, at which no input is to blame: a worker that ended with code 0, which no crash does, and
# clocks that ran out.
GO_FAULTS='fuzzing process hung or terminated unexpectedly: <nil>|context deadline exceeded|communicating with fuzzing process'

# judge FOLDER TARGET BINARY LOG: looks at a run that failed. It returns 1 when Go's fuzzer is to blame.
judge() {
	local folder=$1 target=$2 binary=$3 log=$4 input
	input=$(sed -n 's/^.*Failing input written to testdata\/fuzz\/[^/]*\/\([^ /]*\)$/\1/p' "$log" | tail -n 1)
	if [ -n "$input" ]; then
		local file=$folder/testdata/fuzz/$target/$input
		if fails_again "$binary" "$folder" "$target" "$input"; then
			FINDINGS+=("$target ($folder): $file")
		elif grep -Eq "$GO_FAULTS" "$log"; then
			mv "$file" "$LOGS/$target-$input"
			NOTES+=("$target ($folder): the fuzzer blamed an input that passes; it is in ${LOGS#"$ROOT"/}/$target-$input")
			return 1
		else
			FINDINGS+=("$target ($folder): $file, which does not fail every time")
		fi
	elif grep -Eq "$GO_FAULTS" "$log" && ! grep -q 'failure while testing seed corpus entry' "$log"; then
		return 1
	else
		FINDINGS+=("$target ($folder): it fails without a new input; see ${log#"$ROOT"/}")
	fi
	cat "$log"
}

# try FOLDER TARGET: fuzzes one target, again when Go's fuzzer failed.
try() {
	local folder=$1 target=$2 binary=$LOGS/${1//\//-}.test log=$LOGS/$2-${1//\//-}.log attempt
	if ! [ "$binary" -nt "$LOGS/started" ]; then
		go test -c -fuzz "^$target\$" -o "$binary" "./$folder" || die "the tests of $folder do not build"
	fi
	for attempt in 1 2 3; do
		[ -z "$INTERRUPTED" ] || return 0
		fuzz "$folder" "$target" "$binary" >"$log" 2>&1 </dev/null && return 0
		judge "$folder" "$target" "$binary" "$log" && return 0
		say "Go's fuzzer failed without an input at fault (try $attempt of 3)"
	done
	NOTES+=("$target ($folder): Go's fuzzer ended three runs early; see ${log#"$ROOT"/}")
}

while read -r folder target; do
	[ -z "$INTERRUPTED" ] || break
	say "$target ($folder), $FUZZTIME"
	try "$folder" "$target"
done <<<"$targets"

[ -z "$INTERRUPTED" ] || say "interrupted: not all targets had their time"
[ ${#NOTES[@]} = 0 ] || printf 'no finding: %s\n' "${NOTES[@]}"
if [ ${#FINDINGS[@]} != 0 ]; then
	printf 'FOUND: %s\n' "${FINDINGS[@]}"
	exit 1
fi
echo "nothing found"
