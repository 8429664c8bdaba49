#!/usr/bin/env bash
# Publishes npm packages of a release, in the order in which they need each other: the platforms' first, so that nobody can install
# the one that names them without. What is published already is left alone, so that it may run again after a failure.
# Usage: scripts/publish.sh FOLDER [option of npm publish…]
set -euo pipefail
source "$(dirname "$0")/lib.sh"
FOLDER=${1:?name the folder with the packages}
shift
shopt -s nullglob
main=()
platforms=()
for package in "$FOLDER"/*.tgz; do
	case ${package##*/} in
	*-linux-*.tgz | *-darwin-*.tgz) platforms+=("$package") ;;
	*) main+=("$package") ;;
	esac
done
[ ${#main[@]} = 1 ] || die "there must be one package gazpacho in $FOLDER, and there are ${#main[@]}"
for package in "${platforms[@]}" "${main[@]}"; do
	name=$(tar -xzOf "$package" package/package.json | node -p 'const { name, version } = JSON.parse(require("fs").readFileSync(0)); `${name}@${version}`')
	if [ -n "$(npm view "$name" version "$@" 2>/dev/null)" ]; then
		say "$name is published already"
		continue
	fi
	say "publishing $name"
	npm publish --access public --ignore-scripts "$@" "$package"
done
