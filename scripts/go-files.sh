#!/usr/bin/env bash
# Lists the Go files of this repository that git knows or would add; what git ignores (build/, node_modules/) is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files --cached --others --exclude-standard -- '*.go' | while read -r file; do
	[ -f "$file" ] && printf '%s\n' "$file"
done
