#!/bin/sh
# Puts mediasoup npm packages into build/npm, without running their install scripts, unless they are there. Generators and
# tests read their schemas and their compiled JavaScript.
#
# usage: fbs/gen/npm.sh [release]       the package with its dependencies, into build/npm/node_modules
#        fbs/gen/npm.sh --all           every release since 3.13.0 that npm offers, each into build/npm/releases/<release>
#        fbs/gen/npm.sh --only release… these, likewise
set -eu
cd "$(dirname "$0")/../.."

die() {
	echo "error: $*" >&2
	exit 1
}
command -v npm >/dev/null 2>&1 || die 'npm is missing: install it (it comes with Node.js)'

# fetch unpacks what a generator wants of a release: its number and its schemas, and its Node library.
fetch() {
	[ -f "build/npm/releases/$1/package.json" ] && return 0
	mkdir -p build/npm/packages build/npm/releases
	rm -rf build/npm/unpacked
	mkdir build/npm/unpacked
	(cd build/npm/packages && npm pack --loglevel=error --ignore-scripts "mediasoup@$1" >&2) ||
		die "npm could not get mediasoup $1"
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
	release=${1:-3.27.1}
	package=build/npm/node_modules/mediasoup/package.json
	if [ -f "$package" ] && grep -q "\"version\": \"$release\"" "$package"; then
		exit 0
	fi
	mkdir -p build/npm
	npm install --prefix build/npm --ignore-scripts --no-audit --no-fund --no-save "mediasoup@$release"
	;;
esac
