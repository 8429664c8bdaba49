#!/usr/bin/env bash
# Builds a release for this machine, and installs it as its users do: the npm package from its tarballs into an empty project, where two peers
# call each other; the Debian package is looked into. With --all also: the same bytes in a second build, a registry, the Debian package
# installed and started, what is in deploy/ checked.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
prepare_harness
INSTALL=$HARNESS/install
npm_ci "$INSTALL"
PATH=$(dirname "$NODE"):$PATH
OUT=$BUILD/install-test
export RELEASE=$OUT/release PROJECT=$OUT/project
PLATFORM=$(node -p 'process.platform + "-" + process.arch')

"$ROOT/scripts/release.sh" --out "$RELEASE" "$PLATFORM"

say "npm install of the tarballs into an empty project"
rm -rf "$PROJECT"
mkdir -p "$PROJECT"
(
	cd "$PROJECT"
	npm init -y >/dev/null
	npm install --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error "$RELEASE"/npm/*.tgz mediasoup@3.27.1 werift@0.25.2
)
"$NODE" "$HARNESS/run-tests.js" "$INSTALL"/test/*.test.js
