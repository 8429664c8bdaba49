#!/usr/bin/env bash
# Runs EduMeet's media node, unchanged, with this worker and a cluster of three hosts; two pages of Chromium meet in it. Needs root.
# The argument is the folder of a checkout of it that is installed and built, which is not a part of this project.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
source "$ROOT/scripts/hosts.sh"
[ $# = 1 ] && [ -n "$1" ] || die "name the folder of EduMeet's media node: make edumeet DIR=…"
[ -f "$1/dist/server.js" ] || die "$1/dist/server.js is missing: install and build EduMeet's media node as its README says"
EDUMEET_DIR=$(realpath "$1")
need_chromium
prepare_harness
npm_ci "$HARNESS/browser"
FOLDER=$BUILD/edumeet
start_hosts "$FOLDER"
export EDUMEET_DIR EDUMEET_SECRET=gazpacho EDUMEET_URL=https://10.0.0.10:3000
(cd "$EDUMEET_DIR" && exec ip netns exec gzp-app "$NODE" dist/server.js --ip 10.0.0.10 --listenHost 10.0.0.10 \
	--secret "$EDUMEET_SECRET" --numberOfWorkers 2) >"$FOLDER/edumeet.log" 2>&1 9>&- &
EDUMEET=$!
HOSTS_PIDS+=("$EDUMEET")
code=0
on_host peers "$NODE" "$HARNESS/run-tests.js" "$HARNESS/browser/edumeet/room.test.js" || code=1
on_host app "$ROOT/bin/gazpacho" status
kill -0 "$EDUMEET" 2>/dev/null || die "EduMeet's media node has ended; see ${FOLDER#"$ROOT"/}/edumeet.log"
exit "$code"
