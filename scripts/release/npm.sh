# npm packages of a release. Source it after lib.sh and binaries.sh.
# shellcheck shell=bash

# make_platform_package PLATFORM: the npm package with the programs of one platform.
make_platform_package() {
	local folder=$STAGE/npm/$1
	mkdir -p "$folder/bin"
	install -m 755 "$STAGE/bin/$1"/* "$folder/bin"
	copy_texts "$folder"
	write_manifests platform "$1" "$folder"
	pack "$folder"
}

# make_main_package: the npm package that applications name.
make_main_package() {
	local folder=$STAGE/npm/gazpacho
	cp -r "$ROOT/node-harness/gazpacho" "$folder"
	rm -rf "$folder/node_modules"
	cp -r "$ROOT"/node-harness/conference/{package.json,server,page} "$folder/conference"
	install -m 644 "$ROOT/LICENSE" "$ROOT/NOTICE" "$folder"
	chmod -R u+rw,go=rX "$folder"
	write_manifests main "$folder"
	pack "$folder"
}

write_manifests() {
	node "$ROOT/scripts/release/manifests.mjs" "$SCOPE" "$@"
}

pack() {
	mkdir -p "$OUT/npm"
	npm pack --ignore-scripts --loglevel=error --pack-destination "$OUT/npm" "$1" >/dev/null
}
