#!/bin/sh
# SPDX-License-Identifier: ISC
# fetch-superservers.sh DIR [PACKAGE...]: unpacks the super-servers that the
# tests start, or these packages, into DIR, each into DIR/PACKAGE, and says so
# before it does. Says nothing when all of them are there.
#
# They are not installed: Debian's inetds conflict with each other, and each of
# these packages would start a daemon on this machine.
set -eu

packages='xinetd openbsd-inetd inetutils-inetd ucspi-tcp ipsvd openssh-server'
# fail2ban, whose filter of ours is tried, what it reads the journal with, and
# what may stand in front of us.
packages="$packages fail2ban python3-systemd haproxy"

fail()
{
	echo "fetch-superservers: $1" >&2
	exit 1
}

[ $# -gt 0 ] || fail 'usage: fetch-superservers.sh DIR [PACKAGE...]'
[ $# = 1 ] || packages=$(shift && echo "$*")
[ "$(cat "$1/.complete" 2>/dev/null)" != "$packages" ] || exit 0
mkdir -p "$1" 2>/dev/null || fail "$1 can't be created."
dir=$(cd "$1" && pwd)

if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
	echo "No apt-get here; what needs these is left out: $packages" >&2
	exit 0
fi

echo "Fetching with apt-get, to unpack into $1 only: $packages"
# Beside it, so that to move what is whole is to rename it.
work=$(mktemp -d "$dir/.fetch.XXXXXX") || fail "$1 can't be written to."
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# download OPTION...: all of them, into the directory we are in. As root, apt
# would become a user who can't write here, and warn about it.
download()
{
	# Unquoted: one word for each package.
	# shellcheck disable=SC2086
	apt-get -qq -o APT::Sandbox::User=root "$@" download $packages \
		</dev/null >>"$work/log" 2>&1
}

# Where the machine's package lists are old or missing, it is done with lists
# of our own, which need no root and change nothing on the machine.
download_with_own_lists()
{
	rm -f ./*.deb
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
	set -- -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache"
	apt-get -qq -o APT::Sandbox::User=root "$@" update \
		</dev/null >>"$work/log" 2>&1 &&
		download "$@"
}

mkdir "$work/packages"
cd "$work/packages"
download || download_with_own_lists ||
	fail "apt-get can't download them: $(grep '^E:' "$work/log" |
		sed -n '1s/^E: //p')"

for package in $packages; do
	dpkg-deb -x "$package"_*.deb "$work/$package" ||
		fail "$package can't be unpacked into $1."
	rm -rf "${dir:?}/$package"
	mv "$work/$package" "$dir/$package"
done
echo "$packages" >"$dir/.complete"
