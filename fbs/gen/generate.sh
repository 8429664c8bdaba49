#!/bin/sh
# Makes fbs/schema/*.fbsc from the mediasoup npm package. With --check it changes nothing, and fails when what is
# committed differs from what it would make.
set -eu
cd "$(dirname "$0")/../.."
fbs/gen/npm.sh
if [ "${1:-}" != --check ]; then
	exec go run ./fbs/gen -mediasoup build/npm/node_modules/mediasoup -out fbs/schema
fi
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
go run ./fbs/gen -mediasoup build/npm/node_modules/mediasoup -out "$made"
if ! diff -ru "$made" fbs/schema; then
	echo 'fbs/schema is out of date: run make generate' >&2
	exit 1
fi
