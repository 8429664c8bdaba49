#!/usr/bin/env bash
# Builds a release a second time, in another folder, with another time zone, language and mask of modes, and with nothing compiled before; the
# bytes must be the same. Usage: scripts/reproducible.sh FOLDER platform…, where FOLDER is a release with these platforms, or with more.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
RELEASE=$(realpath "${1:?name the folder of a release}")
shift
SECOND=$BUILD/reproducible
rm -rf "$SECOND"
mkdir -p "$SECOND/elsewhere/source"
(cd "$ROOT" && git ls-files --cached --others --exclude-standard -z | tar --create --null --files-from=- --ignore-failed-read) |
	tar --extract --directory "$SECOND/elsewhere/source"
# There, a Node.js of npm's would be installed once more.
PATH=$(dirname "$(node_bin)"):$PATH
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$ROOT" log -1 --format=%ct)}
export PATH SOURCE_DATE_EPOCH
(
	umask 077
	GOCACHE=$SECOND/cache TZ=Asia/Kolkata LC_ALL=C.UTF-8 "$SECOND/elsewhere/source/scripts/release.sh" --out "$SECOND/release" "$@" >/dev/null
)
compared=0
while read -r sum name; do
	# The bill of materials is of all platforms, as is what quotes it.
	case $name in *.cdx.json) continue ;; esac
	[ "$(sha256sum "$RELEASE/$name" | cut -d' ' -f1)" = "$sum" ] || die "$name differs"
	compared=$((compared + 1))
done <"$SECOND/release/SHA256SUMS"
[ "$compared" -ge 5 ] || die "only $compared files were compared"
rm -rf "$SECOND"
echo "reproducible: passed, $compared files are the same"
