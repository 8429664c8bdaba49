# Debian packages of a release, made without root and without Debian's build system. Source it after lib.sh and binaries.sh.
# shellcheck shell=bash

# make_debian_package PLATFORM: programs, documents, settings and the unit of a node.
make_debian_package() {
	local architecture
	architecture=$(go_architecture "$1")
	local root=$STAGE/debian/$architecture
	local documents=$root/usr/share/doc/gazpacho
	mkdir -p "$root/DEBIAN" "$root/etc/gazpacho/tls" "$documents"
	install -D -m 755 -t "$root/usr/bin" "$STAGE/bin/$1"/*
	install -D -m 644 -t "$root/usr/lib/systemd/system" "$ROOT/deploy/systemd/gazpacho-node.service"
	install -m 644 "$ROOT/deploy/debian/node.toml" "$root/etc/gazpacho"
	write_documents "$documents"
	write_control "$architecture" "$root"
	find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
	dpkg-deb --root-owner-group -Zxz --build "$root" "$OUT/gazpacho_${VERSION}_$architecture.deb" >/dev/null
}

# write_documents FOLDER: what Debian demands of /usr/share/doc, and the project's pages.
write_documents() {
	cp -r "$ROOT/docs" "$ROOT/deploy" "$1"
	install -m 644 "$ROOT/README.md" "$ROOT/NOTICE" "$1"
	gzip -n9c "$OUT/THIRD-PARTY.txt" >"$1/THIRD-PARTY.txt.gz"
	gzip -n9c "$ROOT/CHANGELOG.md" >"$1/changelog.gz"
	{
		cat "$ROOT/deploy/debian/copyright"
		sed -n '/^Permission/,$ { s/^$/./; s/^/ /; p }' "$ROOT/LICENSE"
	} >"$1/copyright"
	chmod -R u+rw,go=rX "$1"
}

# write_control ARCHITECTURE ROOT: what dpkg reads.
write_control() {
	local root=$2
	install -m 755 -t "$root/DEBIAN" "$ROOT/deploy/debian/postinst" "$ROOT/deploy/debian/prerm" "$ROOT/deploy/debian/postrm"
	echo /etc/gazpacho/node.toml >"$root/DEBIAN/conffiles"
	cat >"$root/DEBIAN/control" <<-END
		Package: gazpacho
		Version: $VERSION
		Architecture: $1
		Maintainer: ${MAINTAINER:-the Gazpacho authors <gazpacho@localhost>}
		Installed-Size: $(du -sk --apparent-size --exclude DEBIAN "$root" | cut -f1)
		Depends: adduser
		Section: net
		Priority: optional
		Description: mediasoup's media worker in Go, and media nodes
		 A drop-in replacement for the worker process of mediasoup, and a node that
		 carries the transports of mediasoup applications on other hosts.
	END
	(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\n' | sort | xargs md5sum >DEBIAN/md5sums)
	chmod 644 "$root"/DEBIAN/conffiles "$root"/DEBIAN/control "$root"/DEBIAN/md5sums
}
