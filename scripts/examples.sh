#!/usr/bin/env bash
# Runs the examples of docs/guides.md: a recording by GStreamer, a telephone in a room.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
need_package ffmpeg ffmpeg
need_package sipp sip-tester
gst-inspect-1.0 vp8enc >/dev/null 2>&1 || apt_install gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
prepare_harness
for example in record sip; do
	say "$example"
	"$NODE" "$HARNESS/examples/$example.js"
done
