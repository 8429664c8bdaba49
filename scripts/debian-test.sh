#!/usr/bin/env bash
# Installs the Debian package on a Debian of its own, with systemd as the first process of a namespace: the node runs as its unit says,
# drains when it is stopped, starts again after a crash, and leaves nothing behind when it is purged. Needs root. Argument: the package.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/release/boot.sh"
PACKAGE=$(realpath "${1:?name the package}")
[ "$(id -u)" = 0 ] || die "this needs root: it boots a system in a namespace"
need_package debootstrap debootstrap

SOCKET=unix:/run/gazpacho/node.sock

# expect WHAT COMMAND…: fails unless the command succeeds in the guest.
expect() {
	local what=$1
	shift
	guest "$@" >"$GUEST.out" 2>&1 || die "$what: $* failed: $(cat "$GUEST.out"; guest journalctl --no-pager -b -n 20 -u gazpacho-node)"
	say "$what"
}

# wait_for WHAT COMMAND…: the same as soon as it does; a hang ends it.
wait_for() {
	local what=$1 end=$((SECONDS + 60))
	shift
	until guest "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || expect "$what" "$@"
	done
	say "$what"
}

main_pid() { guest systemctl show --property MainPID --value gazpacho-node; }

# expect_line WHAT FILE PATTERN: fails unless the file in the guest has such a line.
expect_line() {
	guest grep -E -q "$3" "$2" || die "$1: no line like '$3' in: $(guest cat "$2")"
	say "$1"
}

boot_guest
trap stop_guest EXIT
cp "$PACKAGE" "$GUEST/root/gazpacho.deb"

expect "the package is installed" dpkg -i /root/gazpacho.deb
expect "and starts nothing by itself" test "$(guest systemctl is-active gazpacho-node)" = inactive
expect "the unit is correct" systemd-analyze verify /usr/lib/systemd/system/gazpacho-node.service
guest systemd-analyze security --no-pager gazpacho-node.service | tail -n 1
expect "its exposure is below 2" systemd-analyze security --threshold=20 gazpacho-node.service
expect "it is enabled and started" systemctl enable --quiet --now gazpacho-node
wait_for "the node answers" gazpacho status --cluster $SOCKET
expect_line "its settings are a file that dpkg keeps" /var/lib/dpkg/info/gazpacho.conffiles '^/etc/gazpacho/node.toml$'
status=/proc/$(main_pid)/status
expect_line "it is the package's user" "$status" "^Uid:\s+$(guest id -u gazpacho)\s"
expect_line "has no capability" "$status" '^CapBnd:\s+0+$'
expect_line "gets no new privileges" "$status" '^NoNewPrivs:\s+1$'
expect_line "system calls are filtered" "$status" '^Seccomp:\s+2$'
expect "it may have many descriptors" test "$(guest systemctl show --property LimitNOFILE --value gazpacho-node)" = 1048576
guest nsenter --target "$(main_pid)" --mount findmnt --noheadings --output OPTIONS --target /usr | grep -q '^ro' || die "the node may write to /usr"
say "it writes nowhere but to its own folder"

before=$(main_pid)
expect "it crashes" kill -KILL "$before"
wait_for "and comes back" gazpacho status --cluster $SOCKET
[ "$(main_pid)" != "$before" ] || die "it did not crash"

before=$(main_pid)
expect "an upgrade" dpkg -i /root/gazpacho.deb
[ "$(main_pid)" = "$before" ] || die "an upgrade has restarted the node"
say "leaves the node alone"

expect "it is stopped" systemctl stop gazpacho-node
guest journalctl --no-pager -b -u gazpacho-node | grep -q 'msg=draining limit=1h0m0s' || die "it did not drain"
expect "and drained" test "$(guest systemctl show --property Result --value gazpacho-node)" = success
guest systemctl start gazpacho-node
wait_for "it is started again" gazpacho status --cluster $SOCKET
expect "it is drained by command" gazpacho drain --cluster $SOCKET "$(guest hostname)"
wait_for "it ends, and stays so" bash -c 'test "$(systemctl is-active gazpacho-node)" = inactive'

guest systemctl start gazpacho-node
expect "it is purged" dpkg --purge gazpacho
for name in /etc/gazpacho /usr/lib/systemd/system/gazpacho-node.service /usr/bin/gazpacho /usr/share/doc/gazpacho \
	/etc/systemd/system/multi-user.target.wants/gazpacho-node.service; do
	guest test ! -e $name || die "$name is left"
done
! guest pgrep gazpacho || die "the node still runs"
! guest getent passwd gazpacho || die "its user is left"
say "nothing is left"
echo "Debian package: passed"
