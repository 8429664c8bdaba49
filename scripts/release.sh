#!/usr/bin/env bash
# Builds a release in build/release (or --out FOLDER): an archive, npm packages and Debian packages for each platform, a bill of
# materials, all licences of what is linked in, and checksums. From the same source and the same Go, npm and dpkg it makes the same bytes,
# in whatever folder and at whatever time.
#
# Usage: scripts/release.sh [--out FOLDER] [--scope @OWNER] [--npm] [platform…]
#   platform   linux-x64, linux-arm64, darwin-x64, darwin-arm64, by Node's names; default: all of them
#   --scope    the npm packages are named @OWNER/gazpacho and @OWNER/gazpacho-linux-x64, for registries that demand it
#   --npm      npm packages only
set -euo pipefail
source "$(dirname "$0")/lib.sh"
for part in binaries archives npm debian; do
	source "$ROOT/scripts/release/$part.sh"
done

OUT=$BUILD/release
SCOPE=
NPM_ONLY=
PLATFORMS=()
while [ $# -gt 0 ]; do
	case $1 in
	--out) OUT=${2:?--out wants a folder}; shift 2 ;;
	--scope) SCOPE=${2:?--scope wants @OWNER}; shift 2 ;;
	--npm) NPM_ONLY=yes; shift ;;
	linux-x64 | linux-arm64 | darwin-x64 | darwin-arm64) PLATFORMS+=("$1"); shift ;;
	*) die "there is no platform $1" ;;
	esac
done
[ ${#PLATFORMS[@]} -gt 0 ] || PLATFORMS=(linux-x64 linux-arm64 darwin-x64 darwin-arm64)

need_command go "install Go 1.26 or newer (https://go.dev/dl)"
need_command npm "install npm (it comes with Node.js)"
[ -n "$NPM_ONLY" ] || need_package dpkg-deb dpkg
PATH=$(dirname "$(node_bin)"):$PATH
OUT=$(realpath -m "$OUT")
STAGE=$OUT/stage
VERSION=$(node -p 'require(process.argv[1]).version' "$ROOT/node-harness/gazpacho/package.json")
# The time that files in archives have: that of the commit, or that of npm's packages where there is no git.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$ROOT" log -1 --format=%ct 2>/dev/null || echo 499162500)}
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C
umask 022

rm -rf "$OUT"
mkdir -p "$STAGE"
build_binaries
describe_binaries
for platform in "${PLATFORMS[@]}"; do
	make_platform_package "$platform"
	[ -z "$NPM_ONLY" ] || continue
	make_archive "$platform"
	case $platform in linux-*) make_debian_package "$platform" ;; esac
done
make_main_package
rm -rf "$STAGE"
sums=$(cd "$OUT" && find . -type f -printf '%P\n' | sort | xargs sha256sum)
printf '%s\n' "$sums" >"$OUT/SHA256SUMS"
say "release $VERSION in $OUT"
cat "$OUT/SHA256SUMS"
