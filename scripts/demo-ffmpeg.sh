#!/usr/bin/env bash
# Runs the demo: ffmpeg's test picture and tone through the worker, recorded at the other end.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
need_package ffmpeg ffmpeg
prepare_harness
exec "$NODE" "$HARNESS/demo/demo.js" "$@"
