#!/usr/bin/env bash
# Serves the conference until it is interrupted: several tabs of a browser see and hear each other. NODES=3 has it over three nodes of
# this machine, GUESTS=8 fills the room with WebRTC peers, LISTEN=0.0.0.0:3000 lets other machines in (docs/conference.md).
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
case ${LISTEN:-127.} in 127.* | \[::1\]*) ;; *) [ -n "${TLS_CERT:-}" ] || need_package openssl openssl ;; esac
prepare_harness
[ "${GUESTS:-0}" = 0 ] || build_guests
npm_ci "$HARNESS/conference"
GAZPACHO=$ROOT/bin/gazpacho exec "$NODE" "$HARNESS/conference/start.js"
