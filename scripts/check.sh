#!/usr/bin/env bash
# Checks the code: ESLint for JavaScript; for Go format, vet, staticcheck, generated files, and the tests with the race detector, in an
# order that is drawn and printed. Import rules are among the tests, and so are the fuzz targets: on their seeds, on mutants of these that
# are the same in every run, and on all inputs that ever failed. Random fuzzing is scripts/fuzz.sh.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"
need_command go "install Go 1.26 or newer (https://go.dev/dl)"

say "eslint"
scripts/lint.sh

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
scripts/reference.sh --check

# The codec's tests compare with the classes of mediasoup's own Node library.
fbs/gen/npm.sh >&2
PATH=$(dirname "$(node_bin)"):$PATH
export PATH

say "go test -race -shuffle=on"
need_c_compiler
need_package openssl openssl # a second DTLS implementation for the tests of engine/dtls
go list ./... | grep -v -e '/scaling/' -e '/pipe$' | CGO_ENABLED=1 xargs go test -race -shuffle=on -timeout 10m

say "the same of scaling and pipe, with the coverage of their statements"
scripts/coverage.sh

say "checks passed"
