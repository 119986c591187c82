#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# fetch-superservers.sh DIR [PACKAGE...]: unpacks the super-servers that the
# tests start, or these packages, into DIR, each into DIR/PACKAGE, and says so
# before it does. Says nothing when all of them are there. DIR/libraries names
# the packages of libraries that they load.
#
# They are not installed: Debian's inetds conflict with each other, and each of
# these packages would start a daemon on this machine.
set -eu -o pipefail

# shellcheck source=tools/apt.bash
. "$(dirname "$0")/../tools/apt.bash"

fail()
{
	echo "fetch-superservers: $1" >&2
	exit 1
}

[ $# -gt 0 ] || fail 'usage: fetch-superservers.sh DIR [PACKAGE...]'
dir=$1
shift
# With fail2ban, whose filter of ours is tried, what it reads the journal with;
# what may stand in front of us; and a client.
[ $# -gt 0 ] || set -- xinetd openbsd-inetd inetutils-inetd ucspi-tcp ipsvd \
	openssh-server fail2ban python3-systemd haproxy tor
[ "$(cat "$dir/.complete" 2>/dev/null)" != "$*" ] || exit 0
mkdir -p "$dir" 2>/dev/null || fail "$dir can't be created."
dir=$(realpath "$dir")

if [ -z "$(command -v apt-get)" ] || [ -z "$(command -v dpkg-deb)" ]; then
	echo "No apt-get here; what needs these is left out: $*" >&2
	: >"$dir/libraries"
	exit 0
fi

echo "Fetching with apt-get, to unpack into $dir only: $*"
# Beside it, so that to move what is whole is to rename it.
work=$(mktemp -d "$dir/.fetch.XXXXXX") || fail "$dir can't be written to."
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# download PACKAGE...: all of them, into the directory we are in. As root, apt
# would become a user who can't write here, and warn about it.
download()
{
	look_up "$@"
	apt-get -qq -o APT::Sandbox::User=root download "${found[@]}" \
		</dev/null >>"$work/log" 2>&1
}

# libraries: of the packages in the directory we are in.
libraries()
{
	local file

	for file in *.deb; do
		dpkg-deb -f "$file" Depends Pre-Depends
	done | sed 's/^[A-Z][a-zA-Z-]*://' | tr , '\n' |
		sed -n 's/^ *\(lib[^ :|]*\).*/\1/p' | sort -u
}

mkdir "$work/packages"
cd "$work/packages"
# Where the machine's package lists are old or missing, with lists of our own.
{ has_lists && download "$@"; } ||
	{ rm -f ./*.deb && use_own_lists "$work" 2>>"$work/log" && download "$@"; } ||
	fail "apt-get can't download them: $(grep '^E:' "$work/log" |
		sed -n '1s/^E: //p')"
leave_out_absent
libraries >"$dir/libraries"

for package in "${found[@]}"; do
	dpkg-deb -x "$package"_*.deb "$work/$package" ||
		fail "$package can't be unpacked into $dir."
	rm -rf "${dir:?}/$package"
	mv "$work/$package" "$dir/$package"
done
echo "$*" >"$dir/.complete"
