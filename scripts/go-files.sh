#!/usr/bin/env bash
# Lists the Go files of this repository that git knows or would add; what git ignores (build/, node_modules/) is left out.
# Without git, or where git refuses the folder (it belongs to somebody else), all Go files but those in such folders.
set -euo pipefail
cd "$(dirname "$0")/.."
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	git ls-files --cached --others --exclude-standard -- '*.go' | while read -r file; do
		if [ -f "$file" ]; then printf '%s\n' "$file"; fi
	done
else
	find . -name node_modules -prune -o -path ./build -prune -o -path ./bin -prune -o -name '*.go' -printf '%P\n' | sort
fi
