# Set-up for all scripts that run Node against the worker. Source it after lib.sh.

WORKER=$(realpath -m "${WORKER_BIN:-$ROOT/bin/mediasoup-worker}")
HARNESS=$ROOT/node-harness

# prepare_harness: sets NODE, installs the harness's npm packages, and ends the script if there is no worker binary.
prepare_harness() {
	[ -x "$WORKER" ] || die "no worker binary at $WORKER (run: make)"
	NODE=$(node_bin)
	npm_ci "$HARNESS"
	export MEDIASOUP_WORKER_BIN=$WORKER
}

# need_chromium: sets CHROMIUM_BIN unless it is set, and installs Chromium if need be.
need_chromium() {
	if [ -z "${CHROMIUM_BIN:-}" ]; then
		need_package chromium chromium
		CHROMIUM_BIN=$(command -v chromium)
	fi
	export CHROMIUM_BIN
}

# build_guests: builds the people who fill a room of the conference, and sees to it that there is ffmpeg, which draws them.
build_guests() {
	need_command go "install Go 1.26 or newer (https://go.dev/dl)"
	need_package ffmpeg ffmpeg
	go build -C "$ROOT/peer-tests" -o "$BUILD/guest" ./guest
}
