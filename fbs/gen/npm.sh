#!/bin/sh
# Puts the mediasoup npm package into build/npm/node_modules, without running its install scripts, unless it is there.
# Tests and generators read its schemas and its compiled JavaScript.
#
# usage: fbs/gen/npm.sh [release]
set -eu
cd "$(dirname "$0")/../.."
release=${1:-3.27.1}
package=build/npm/node_modules/mediasoup/package.json
if [ -f "$package" ] && grep -q "\"version\": \"$release\"" "$package"; then
	exit 0
fi
mkdir -p build/npm
npm install --prefix build/npm --ignore-scripts --no-audit --no-fund --no-save "mediasoup@$release"
