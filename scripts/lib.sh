# Functions shared by the scripts of this repository. Source it; it only defines functions.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$ROOT/build

say() { printf '%s\n' "==> $*" >&2; }
die() { printf '%s\n' "error: $*" >&2; exit 1; }

# need_command COMMAND HINT: ends the script when COMMAND is missing.
need_command() {
	command -v "$1" >/dev/null 2>&1 || die "$1 is missing: $2"
}

# apt_install PACKAGE…: installs Debian packages as root. It waits for apt's lock: a machine that has just started may be
# upgrading itself. A failed update need not matter: the source that cannot be reached may not be the one needed.
apt_install() {
	say "installing $* (apt-get)"
	apt-get update -qq >&2 || say "apt-get update failed; continuing with the present package lists"
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@" >&2 ||
		die "apt-get could not install $*"
}

# need_package COMMAND PACKAGE: installs the Debian package that provides COMMAND, or ends the script with instructions.
need_package() {
	local command=$1 package=$2
	command -v "$command" >/dev/null 2>&1 && return 0
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
		die "$command is missing. Install it, then run this again:
    sudo apt-get update && sudo apt-get install -y --no-install-recommends $package"
	fi
	apt_install "$package"
	command -v "$command" >/dev/null 2>&1 || die "$package is installed, but there is no $command"
}

# need_aiortc: a WebRTC peer in Python whose DTLS is OpenSSL's. AIORTC_PYTHON names a Python that has it.
need_aiortc() {
	local python=${AIORTC_PYTHON:-/usr/bin/python3}
	"$python" -c 'import aiortc' >/dev/null 2>&1 && return 0
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
		die "$python has no aiortc. Install it, or name another Python in AIORTC_PYTHON, then run this again:
    sudo apt-get update && sudo apt-get install -y --no-install-recommends python3-aiortc"
	fi
	apt_install python3-aiortc
	"$python" -c 'import aiortc' >/dev/null 2>&1 || die "python3-aiortc is installed, but $python has no aiortc"
}

# need_c_compiler: the race detector links with cgo, which needs a C compiler and the C library's headers.
need_c_compiler() {
	local probe='#include <stdlib.h>
int main(void) { return 0; }'
	local cc
	cc=$(go env CC)
	if printf '%s' "$probe" | $cc -x c -o /dev/null - >/dev/null 2>&1; then
		return 0
	fi
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
		die "Go's race detector needs a C compiler. Install it, then run this again:
    sudo apt-get update && sudo apt-get install -y --no-install-recommends gcc libc6-dev"
	fi
	apt_install gcc libc6-dev
}

# npm_ci FOLDER: installs what FOLDER/package-lock.json pins, unless it is installed already.
# Install scripts are off: nothing here needs one, and mediasoup's would download or build the C++ worker.
npm_ci() {
	local folder=$1 stamp=$1/node_modules/.gazpacho-lock
	if [ -f "$stamp" ] && cmp -s "$stamp" "$folder/package-lock.json"; then
		return 0
	fi
	need_command npm "install npm (it comes with Node.js)"
	say "npm ci in ${folder#"$ROOT"/}"
	local try
	for try in 1 2 3; do
		if (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2); then
			cp "$folder/package-lock.json" "$stamp"
			return 0
		fi
		say "npm ci failed (try $try of 3)"
	done
	die "npm could not install the packages of ${folder#"$ROOT"/}"
}

# copy_package FROM TO: copies a committed package.json with its lock file to a folder below build/.
copy_package() {
	mkdir -p "$2"
	local file
	for file in package.json package-lock.json .npmrc; do
		[ -f "$1/$file" ] || continue
		cmp -s "$1/$file" "$2/$file" || cp "$1/$file" "$2/$file"
	done
}

# node_bin: prints the path of a Node.js that mediasoup accepts (22 or newer).
node_bin() {
	local major=0
	if command -v node >/dev/null 2>&1; then
		major=$(node -p 'process.versions.node.split(".")[0]')
	fi
	if [ "$major" -ge 22 ]; then
		command -v node
		return 0
	fi
	copy_package "$ROOT/scripts/node" "$BUILD/node"
	npm_ci "$BUILD/node"
	local candidate
	for candidate in "$BUILD"/node/node_modules/node-linux-*/bin/node; do
		if "$candidate" --version >/dev/null 2>&1; then
			printf '%s\n' "$candidate"
			return 0
		fi
	done
	die "Node.js 22 or newer is needed (found ${major}), and npm has none for this machine"
}
