#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# systemd-sandbox.sh [--hostnet] STATEDIR UNITDIR -- COMMAND...
#
# Boots this machine's own systemd as PID 1 of namespaces of its own (pid,
# mount, cgroup, uts, ipc and, without --hostnet, network), runs COMMAND in
# there, and takes everything down again. Nothing is left, and nothing of the
# machine is changed: its root is seen through an overlay, whose upper layer
# lives in memory.
#
# STATEDIR is /sandbox inside. STATEDIR/files, if it is there, is laid over /,
# a staged `make install` for example. STATEDIR/pid1 is the process id of
# systemd, as seen from outside, once it is up: `nsenter -t` takes it.
# STATEDIR/console is what it said.
# UNITDIR's files are all there is in /etc/systemd/system. Nothing but the
# journal is started; COMMAND has to start what it wants.
#
# Exits with COMMAND's status; with 77, and a sentence, where this can't be
# done; with 1 when systemd doesn't come up. Ends by itself after
# $SANDBOX_LIMIT seconds (300). Without standard input.
set -eu

self=$(realpath "$0")

cannot()
{
	echo "systemd-sandbox: $1" >&2
	exit 77
}

# --- inside: from the new namespaces to systemd ----------------------------

# cover DIR...: what is in there can't be seen any more.
cover()
{
	local dir

	for dir; do
		[ ! -d "$dir" ] || mount -t tmpfs -o mode=755 tmpfs "$dir"
	done
}

make_root()
{
	mkdir -p "$state/root" "$state/layers"
	mount -t tmpfs -o mode=755 tmpfs "$state/layers"
	mkdir "$state/layers/upper" "$state/layers/work"
	cd "$state"
	mount -t overlay -o lowerdir=/,upperdir=layers/upper,workdir=layers/work \
		overlay root || cannot "this kernel mounts no overlay over /."
	# /lib may be a link, and has to stay one.
	if [ -d "$state/files" ]; then
		tar -C "$state/files" -cf - . |
			tar -C "$state/root" --keep-directory-symlink \
				--no-overwrite-dir -xf -
	fi
	cd "$state/root"
}

# The kernel's knobs belong to the machine: systemd must not turn them.
make_proc_and_sys()
{
	mount -t proc proc proc
	mount --bind proc/sys proc/sys
	mount -o remount,bind,ro proc/sys
	[ ! -e proc/sysrq-trigger ] ||
		mount --bind /dev/null proc/sysrq-trigger
	mount -t sysfs -o ro sysfs sys
	mount -t cgroup2 cgroup2 sys/fs/cgroup ||
		cannot "this kernel mounts no cgroup2 here."
}

make_dev()
{
	local name

	cover dev
	mkdir dev/pts dev/shm
	for name in null zero full random urandom tty; do
		touch "dev/$name"
		mount --bind "/dev/$name" "dev/$name"
	done
	touch dev/console
	mount --bind "$state/console" dev/console
	mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
	mount -t tmpfs -o mode=1777 tmpfs dev/shm
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	ln -s /proc/self/fd/0 dev/stdin
	ln -s /proc/self/fd/1 dev/stdout
	ln -s /proc/self/fd/2 dev/stderr
}

# Only the journal: what this machine starts besides is none of our business,
# and what its generators make of /etc/fstab would wait for disks.
make_units()
{
	local lib

	mkdir -p etc/systemd/system
	cover etc/systemd/system
	for lib in etc usr/local/lib usr/lib lib; do
		cover "$lib"/systemd/system-generators \
			"$lib"/systemd/system-environment-generators \
			"$lib"/systemd/system/{sysinit,local-fs}.target.wants
	done
	mkdir -p etc/systemd/journald.conf.d
	cp -r "$units/." etc/systemd/system/
	mkdir -p etc/systemd/system/sysinit.target.d
	cat >etc/systemd/system/sysinit.target.d/sandbox.conf <<-END
		[Unit]
		Wants=systemd-journald.service systemd-journald-dev-log.socket
	END
	ln -s /dev/null etc/systemd/system/systemd-journald-audit.socket
	cat >etc/systemd/journald.conf.d/zz-sandbox.conf <<-END
		[Journal]
		Storage=volatile
		RateLimitIntervalSec=0
		ReadKMsg=no
		Audit=no
	END
}

become_systemd()
{
	local dir pid systemd

	set -E
	trap 'cannot "the sandbox cannot be built on this machine."' ERR
	make_root
	make_proc_and_sys
	make_dev
	cover run tmp var/log
	chmod 1777 tmp
	make_units
	mkdir sandbox
	mount --bind "$state" sandbox
	echo sandbox >etc/hostname
	head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >etc/machine-id
	for dir in usr/lib lib; do
		[ ! -x "$dir/systemd/systemd" ] || systemd=/$dir/systemd/systemd
	done
	# The /proc that is still ours counts processes as the machine does.
	read -r pid _ </proc/self/stat
	mkdir .outside
	pivot_root . .outside
	cd /
	echo "$pid" >sandbox/pid1.new
	umount -l .outside
	rmdir .outside
	# Without it, LoadCredential= yields a directory that can't be read.
	mount --make-rshared /
	exec env -i container=sandbox LANG=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"${systemd:-/sbin/init}" --system --unit=sysinit.target \
		--log-target=journal --show-status=no \
		</dev/null >/dev/console 2>&1
}

if [ "${1:-}" = --inside ]; then
	state=$2
	units=$3
	become_systemd
fi

# --- outside ---------------------------------------------------------------

check_machine()
{
	local tool

	[ "$(id -u)" -eq 0 ] || cannot "only root can boot systemd."
	for tool in unshare nsenter setpriv pivot_root systemctl tar; do
		[ -n "$(command -v $tool)" ] || cannot "$tool is missing."
	done
	unshare --fork --pid --mount --cgroup --uts --ipc --net true \
		2>/dev/null || cannot "no namespaces may be made here."
	grep -qw overlay /proc/filesystems || modprobe -q overlay ||
		cannot "this kernel has no overlay file system."
}

make_cgroup()
{
	local mounted

	mounted=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$mounted" ] || cannot "no cgroup2 is mounted."
	cgroup=$mounted/socks5-sandbox.$$
	mkdir "$cgroup" 2>/dev/null || cannot "$mounted can't be written to."
}

# PID 1 takes everything in its namespace with it.
# shellcheck disable=SC2317 # a trap calls it
take_down()
{
	local tries

	trap '' HUP INT TERM
	# unshare waits for it; to kill both would leave an orphan.
	if [ -s "$state/pid1.new" ]; then
		kill -KILL "$(cat "$state/pid1.new")" || :
	elif [ -n "${unshare:-}" ]; then
		kill -KILL "$unshare" || :
	fi
	wait
	for ((tries = 0; tries < 200; tries++)); do
		find "$cgroup" -depth -type d -exec rmdir {} + && break
		sleep 0.05
	done
	rm -f "$state/pid1" "$state/pid1.new"
	rmdir "$state/root" "$state/layers"
} 2>/dev/null

boot()
{
	local network=--net

	[ -z "$hostnet" ] || network=
	(
		# First into the cgroup, so that it is the root of the new
		# cgroup namespace.
		echo "$BASHPID" >"$cgroup/cgroup.procs"
		# shellcheck disable=SC2086 # no word where it is empty
		exec setpriv --pdeathsig KILL unshare --fork --kill-child=KILL \
			--pid --mount --propagation private --cgroup --uts \
			--ipc $network \
			"$BASH" "$self" --inside "$state" "$units"
	) </dev/null >>"$state/console" 2>&1 &
	unshare=$!
}

inside()
{
	nsenter -t "$(cat "$state/pid1.new")" -m -p -u -i -n -C -- "$@"
}

wait_for_systemd()
{
	local deadline=$((SECONDS + 30)) status=0

	until [ -s "$state/pid1.new" ] && inside systemctl is-active -q \
		sysinit.target 2>/dev/null; do
		if ! kill -0 "$unshare" 2>/dev/null; then
			wait "$unshare" || status=$?
			unshare=
			cat "$state/console" >&2
			[ "$status" -ne 77 ] || exit 77
			echo "systemd-sandbox: systemd has ended." >&2
			exit 1
		fi
		if [ "$SECONDS" -gt "$deadline" ]; then
			cat "$state/console" >&2
			inside systemctl list-jobs >&2 || :
			echo "systemd-sandbox: systemd doesn't come up." >&2
			exit 1
		fi
		sleep 0.05
	done
	cp "$state/pid1.new" "$state/pid1.up"
	mv "$state/pid1.up" "$state/pid1"
}

hostnet=
if [ "${1:-}" = --hostnet ]; then
	hostnet=yes
	shift
fi
if [ $# -lt 4 ] || [ "$3" != -- ]; then
	echo "usage: systemd-sandbox.sh [--hostnet] STATEDIR UNITDIR" \
		"-- COMMAND..." >&2
	exit 2
fi
check_machine
mkdir -p "$1"
state=$(realpath "$1")
units=$(realpath "$2")
shift 3

rm -f "$state/pid1" "$state/pid1.new"
: >"$state/console"
make_cgroup
trap take_down EXIT
trap 'exit 1' HUP INT TERM
boot
wait_for_systemd

# In the background, for a trap to end it.
timeout -k 5 "${SANDBOX_LIMIT:-300}" \
	nsenter -t "$(cat "$state/pid1")" -m -p -u -i -n -C -- "$@" &
status=0
wait $! || status=$?
exit $status
