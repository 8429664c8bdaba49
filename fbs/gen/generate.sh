#!/bin/sh
# Makes fbs/schema from the mediasoup npm packages of all releases since 3.13.0 that npm offers, and fbs/gen/inferred for the
# rest.
#
# usage: fbs/gen/generate.sh                   writes fbs/schema
#        fbs/gen/generate.sh --check           fails when a committed schema file is not what its release gives
#        fbs/gen/generate.sh --drift [release] compares a release (the newest on npm) with the dialects known, on one page
set -eu
cd "$(dirname "$0")/../.."
case ${1:-} in
--check)
	# Only the releases that a schema file was read from: the others do not change.
	dialects=$(awk '$1 == $2 && $3 == "package" { print $1 }' fbs/schema/releases.txt)
	# shellcheck disable=SC2086 # a list of words
	fbs/gen/npm.sh --only $dialects
	mkdir -p build
	work=$(mktemp -d build/schema.XXXXXX)
	trap 'rm -rf "$work"' EXIT
	mkdir "$work/packages" "$work/made"
	for release in $dialects; do
		ln -s "$PWD/build/npm/releases/$release" "$work/packages/$release"
	done
	go run ./fbs/gen -packages "$work/packages" -inferred fbs/gen/inferred -out "$work/made"
	# Of the table, the lines for these releases and the inferred ones.
	if ! diff -ru -x releases.txt "$work/made" fbs/schema || grep -vxFf fbs/schema/releases.txt "$work/made/releases.txt"; then
		echo 'fbs/schema is out of date: run make generate' >&2
		exit 1
	fi
	;;
--drift)
	release=${2:-$(npm view mediasoup version)}
	fbs/gen/npm.sh --only "$release"
	go run ./fbs/gen -drift "build/npm/releases/$release"
	;;
*)
	fbs/gen/npm.sh --all
	go run ./fbs/gen -packages build/npm/releases -inferred fbs/gen/inferred -out fbs/schema
	;;
esac
