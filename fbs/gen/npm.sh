#!/usr/bin/env bash
# Puts mediasoup npm packages into build/npm, without running their install scripts, unless they are there. Generators and
# tests read their schemas and their compiled JavaScript.
#
# usage: fbs/gen/npm.sh                 the newest known package with its dependencies, into build/npm/node_modules
#        fbs/gen/npm.sh --all           every release since 3.13.0 that npm offers, each into build/npm/releases/<release>
#        fbs/gen/npm.sh --only release… these, likewise
set -euo pipefail
source "$(dirname "$0")/../../scripts/lib.sh"
cd "$ROOT"
need_command npm "install npm (it comes with Node.js)"

# fetch unpacks what a generator wants of a release: its number and its schemas, and its Node library.
fetch() {
	[ -f "build/npm/releases/$1/package.json" ] && return 0
	mkdir -p build/npm/packages build/npm/releases
	rm -rf build/npm/unpacked
	mkdir build/npm/unpacked
	local try
	for try in 1 2 3; do
		(cd build/npm/packages && npm pack --loglevel=error --ignore-scripts "mediasoup@$1" >&2) && break
		[ "$try" != 3 ] || die "npm could not get mediasoup $1"
	done
	tar -xzf "build/npm/packages/mediasoup-$1.tgz" -C build/npm/unpacked --strip-components=1 package/package.json package/worker/fbs package/node/lib ||
		die "mediasoup $1 has no FlatBuffers schema: those before 3.13.0 spoke JSON"
	mv build/npm/unpacked "build/npm/releases/$1"
}

case ${1:-} in
--all)
	versions=$(npm view mediasoup versions --json) || die 'npm could not list the releases of mediasoup'
	for release in $(printf '%s\n' "$versions" |
		sed -n 's/^ *"\(3\.[0-9]*\.[0-9]*\)",*$/\1/p' | awk -F. '$2 >= 13'); do
		fetch "$release"
	done
	;;
--only)
	shift
	for release in "$@"; do
		fetch "$release"
	done
	;;
*)
	copy_package compat-tests/releases/3.27.1 build/npm
	npm_ci "$BUILD/npm"
	;;
esac
