# The programs of a release. Source it after lib.sh.
# shellcheck shell=bash

PROGRAMS=(mediasoup-worker gazpacho)

# build_binaries: builds the programs for each platform in $STAGE/bin/PLATFORM.
build_binaries() {
	local platform program
	for platform in "${PLATFORMS[@]}"; do
		for program in "${PROGRAMS[@]}"; do
			say "$program for $platform"
			# Settings of the machine must not change the bytes.
			env -u GOAMD64 -u GOARM64 -u GOEXPERIMENT GOFLAGS='' CGO_ENABLED=0 GOOS="${platform%-*}" GOARCH="$(go_architecture "$platform")" \
				go build -C "$ROOT" -trimpath -buildvcs=false -ldflags='-s -w' -o "$STAGE/bin/$platform/$program" "./cmd/$program"
			check_version "$STAGE/bin/$platform/$program"
		done
	done
}

# go_architecture PLATFORM: prints Go's name of the architecture, which is also Debian's.
go_architecture() {
	case $1 in
	*-x64) echo amd64 ;;
	*-arm64) echo arm64 ;;
	esac
}

# check_version BINARY: fails if a program that runs here is of another version than the npm package.
check_version() {
	[ "$(go version -m "$1" | awk '$2 ~ /^GOOS=|^GOARCH=/ { printf "%s ", $2 }')" = "GOARCH=$(go env GOHOSTARCH) GOOS=$(go env GOHOSTOS) " ] || return 0
	local version
	version=$("$1" --version | awk '{ print $2; exit }')
	[ "$version" = "$VERSION" ] || die "$1 says that it is version $version, and package.json of gazpacho $VERSION"
}

# describe_binaries: writes the bill of materials and the licences, or fails at a licence that is not allowed.
describe_binaries() {
	go run -C "$ROOT/tools/release" ./bom -version "$VERSION" -source "$ROOT" -out "$OUT" "$STAGE"/bin/*/*
	mv "$OUT/bom.cdx.json" "$OUT/gazpacho-$VERSION.cdx.json"
}

# copy_texts FOLDER: copies what goes with the programs.
copy_texts() {
	install -m 644 "$ROOT/LICENSE" "$ROOT/NOTICE" "$OUT/THIRD-PARTY.txt" "$1"
}
