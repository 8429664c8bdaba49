#!/usr/bin/env bash
# Lists the Go files of this repository that git tracks or would add, without those that it ignores (build/, node_modules/).
# Without git, or if git refuses the folder (another user owns it), it lists all Go files outside such folders.
set -euo pipefail
cd "$(dirname "$0")/.."
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	git ls-files --cached --others --exclude-standard -- '*.go' | while read -r file; do
		if [ -f "$file" ]; then printf '%s\n' "$file"; fi
	done
else
	find . -name node_modules -prune -o -path ./build -prune -o -path ./bin -prune -o -name '*.go' -printf '%P\n' | sort
fi
