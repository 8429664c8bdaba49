#!/usr/bin/env bash
# Checks the JavaScript with ESLint (tools/eslint).
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"
npm_ci tools/eslint
files=$(find . \( -name node_modules -o -path ./build -o -name '.*' ! -name . \) -prune -o \( -name '*.js' -o -name '*.mjs' \) -print)
# shellcheck disable=SC2086
exec "$(node_bin)" tools/eslint/node_modules/eslint/bin/eslint.js --config tools/eslint/eslint.config.js $files
