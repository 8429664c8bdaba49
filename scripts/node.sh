#!/usr/bin/env bash
# Runs a Node.js that is new enough for mediasoup: the machine's own, or else one from npm in build/node.
# Usage: scripts/node.sh [arguments of node]
set -euo pipefail
source "$(dirname "$0")/lib.sh"
NODE=$(node_bin)
# Child processes that call plain "node" get the same one.
PATH=$(dirname "$NODE"):$PATH exec "$NODE" "$@"
