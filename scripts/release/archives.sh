# Archives of a release. Source it after lib.sh and binaries.sh.
# shellcheck shell=bash

# make_archive PLATFORM: a tar.gz with the programs and their documents.
make_archive() {
	local name=gazpacho-$VERSION-$1
	local folder=$STAGE/archive/$name
	mkdir -p "$folder"
	install -m 755 "$STAGE/bin/$1"/* "$folder"
	install -m 644 "$ROOT/README.md" "$ROOT/CHANGELOG.md" "$folder"
	copy_texts "$folder"
	cp -r "$ROOT/docs" "$ROOT/deploy" "$folder"
	tar --create --directory "$STAGE/archive" --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mode=u+rw,go=rX \
		--mtime="@$SOURCE_DATE_EPOCH" "$name" | gzip -n9 >"$OUT/$name.tar.gz"
}
