#!/usr/bin/env bash
# Runs the demo: first ffmpeg through the worker, then the conference, which serves until it is interrupted. Where nobody could open it,
# because there is no terminal, the demo ends after the first.
set -euo pipefail
here=$(dirname "$0")
"$here/demo-ffmpeg.sh"
if [ -t 0 ] && [ -t 1 ]; then
	exec "$here/demo-conference.sh"
fi
