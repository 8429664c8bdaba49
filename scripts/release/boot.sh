# A Debian with systemd as the first process of a namespace: no virtual machine, no container engine. Source it after lib.sh; needs root.
# shellcheck shell=bash

GUEST=$BUILD/debian/root
GUEST_PID=

# boot_guest: installs Debian into build/debian, once, and boots a fresh copy of it, without a network.
boot_guest() {
	local base=$BUILD/debian/base
	if [ ! -f "$base.complete" ]; then
		say "debootstrap in ${base#"$ROOT"/}"
		rm -rf "$base"
		mkdir -p "$base"
		debootstrap --variant=minbase --include=systemd,systemd-sysv,adduser,util-linux,procps bookworm "$base" >"$base.log" || die "debootstrap: $(tail "$base.log")"
		touch "$base.complete"
	fi
	rm -rf "$GUEST"
	cp -a "$base" "$GUEST"
	CONTROL_GROUP=$(cgroup_root)/gazpacho-debian-test
	mkdir -p "$CONTROL_GROUP"
	# systemd wants to be at the root of its control groups, as the namespace shows them.
	(
		echo "$BASHPID" >"$CONTROL_GROUP/cgroup.procs"
		exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup \
			bash "$ROOT/scripts/release/boot-guest.sh" "$GUEST"
	) >"$GUEST.log" 2>&1 </dev/null &
	GUEST_UNSHARE=$!
	local end=$((SECONDS + 120))
	until GUEST_PID=$(pgrep -P "$GUEST_UNSHARE" -x systemd) && guest systemctl is-system-running --quiet 2>/dev/null; do
		kill -0 $GUEST_UNSHARE 2>/dev/null || die "Debian does not boot: $(cat "$GUEST.log")"
		[ $SECONDS -lt $end ] || die "Debian does not boot: $(guest systemctl --failed --no-pager; cat "$GUEST.log")"
	done
	say "Debian $(cat "$GUEST/etc/debian_version") has booted"
}

# cgroup_root prints where the unified hierarchy of control groups is.
cgroup_root() {
	awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts
}

# guest COMMAND…: runs a command there.
guest() {
	nsenter --target "$GUEST_PID" --all env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"
}

# stop_guest ends it as a power cut would.
stop_guest() {
	kill -KILL "$GUEST_PID" 2>/dev/null || true
	wait "$GUEST_UNSHARE" 2>/dev/null || true
	rm -rf "$GUEST"
	rmdir "$CONTROL_GROUP"/*/*/ "$CONTROL_GROUP"/*/ "$CONTROL_GROUP" 2>/dev/null || true
}
