#!/usr/bin/env bash
# Builds a release's npm packages for this machine, and installs them as users do: from the tarballs into an empty project, where two peers
# call each other and a conference is served. With --all also all that takes minutes, each of which has a script of its own as well: what a release says of itself, the same
# bytes in a second build, publishing to a registry and installing from it, the Debian package on a Debian, the files in deploy/.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
prepare_harness
INSTALL=$HARNESS/install
npm_ci "$INSTALL"
PATH=$(dirname "$NODE"):$PATH
export RELEASE=$BUILD/install-test/release PROJECT=$BUILD/install-test/project
PLATFORM=$(node -p 'process.platform + "-" + process.arch')

say "licences and bill of materials"
go -C "$ROOT/tools/release" vet ./...
go -C "$ROOT/tools/release" test ./...

"$ROOT/scripts/release.sh" --npm --out "$RELEASE" "$PLATFORM"

say "npm install of the tarballs into an empty project"
rm -rf "$PROJECT"
mkdir -p "$PROJECT"
(
	cd "$PROJECT"
	npm init -y >/dev/null
	npm install --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error "$RELEASE"/npm/*.tgz \
		mediasoup@3.27.1 mediasoup-client@3.24.1 esbuild@0.28.2 ws@8.23.0 werift@0.25.2
)
"$NODE" "$HARNESS/run-tests.js" "$INSTALL"/test/*.test.js
[ "${1:-}" = --all ] || exit 0

export RELEASE=$BUILD/release
"$ROOT/scripts/release.sh"
"$NODE" "$HARNESS/run-tests.js" "$INSTALL/release.test.js"
"$ROOT/scripts/reproducible.sh" "$RELEASE" "$PLATFORM"
"$ROOT/scripts/registry-test.sh" "$RELEASE"
"$ROOT/scripts/debian-test.sh" "$RELEASE"/gazpacho_*_"$(dpkg --print-architecture)".deb
go -C "$ROOT/tools/deploy" test -count=1 ./...
