#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# need.sh PACKAGE...: installs the Debian packages of these that are missing,
# with apt-get, and says which and how much that is before it does. What this
# release of Debian hasn't got is left out, with a sentence; in CI it is an error.
# Says nothing when none is missing.
#
# need.sh --offer TARGET PACKAGE...: only says which are missing, if any, and that
# `make TARGET` installs them.
set -eu -o pipefail

# shellcheck source=tools/apt.bash
. "$(dirname "$0")/apt.bash"

# find_missing PACKAGE...: in the array `missing`, those that are not installed
# under any name that they go by.
find_missing()
{
	mapfile -t missing < <(printf '%s\n' "$@" | sort -u | grep -vxF -f <(
		dpkg-query -W -f '${db:Status-Abbrev} ${Package}, ${Provides}\n' |
			sed -n 's/^ii *//p' | tr , '\n' | sed 's/^ *//; s/ .*//'
	))
}

# as_root COMMAND...
as_root()
{
	local status=0

	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@" || status=$?
		# It has 1 when it refuses, and apt-get 100.
		[ "$status" -ne 1 ] || give_to_root
		return "$status"
	fi
}

# give_to_root: ends all with the line that somebody else has to type.
give_to_root()
{
	has_lists || use_own_lists "$work"
	look_up "${missing[@]}"
	leave_out_absent
	[ ${#found[@]} -gt 0 ] || exit 0
	echo "Only root can install what is missing here, by typing" \
		"apt-get update && apt-get install --no-install-recommends" \
		"${found[*]}" >&2
	exit 1
}

# say_how_much PACKAGE...: before they are installed.
say_how_much()
{
	local line count='' fetch='' disk=''

	while read -r line; do
		case $line in
		*' newly installed, '*) count=${line% newly installed, *} ;;
		'Need to get '*) fetch=${line#Need to get } ;;
		'After this operation, '*) disk=${line#After this operation, } ;;
		esac
	done < <(LC_ALL=C apt-get -q -y --print-uris -o Debug::NoLocking=1 \
		--no-install-recommends install "$@" 2>/dev/null)
	echo "Installing with apt-get: $*"
	echo "${count##* } packages with those that they need;" \
		"${fetch% of archives*} to fetch, ${disk% of add*} on the disk"
}

# show_progress: what apt-get's status lines come to, on a terminal in one line.
# Its own percentage of what it fetches goes beyond 100.
show_progress()
{
	local line words percent step=1 end='\r' shown='  fetched 0 %'

	[ -t 1 ] || step=20 end='\n'
	while IFS= read -r line; do
		if [[ $line =~ ^dlstatus:.*\ file\ ([0-9]+)\ of\ ([0-9]+) ]]; then
			percent=$((BASH_REMATCH[1] * 100 / BASH_REMATCH[2]))
			words=fetched
		elif [[ $line =~ ^pmstatus:.*:([0-9]+)\.[0-9]+: ]]; then
			percent=${BASH_REMATCH[1]}
			words=installed
		else
			echo "$line" >>"$work/log"
			continue
		fi
		words="  $words $((percent / step * step)) %"
		[ "$words" = "$shown" ] || printf "%s$end" "$words"
		shown=$words
	done
	[ "$step" -gt 1 ] || echo
}

install()
{
	as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y \
		-o DPkg::Lock::Timeout=600 -o APT::Status-Fd=1 \
		--no-install-recommends install "$@" </dev/null |
		show_progress || {
		tail -n 20 "$work/log" >&2
		exit 1
	}
}

offer=
if [ "${1:-}" = --offer ]; then
	offer=$2
	shift 2
fi
if [ -z "$(command -v apt-get)" ]; then
	[ -n "$offer" ] ||
		echo "No apt-get here; this needs, by Debian's names: $*" >&2
	exit 0
fi
find_missing "$@"
[ ${#missing[@]} -gt 0 ] || exit 0
if [ -n "$offer" ]; then
	echo "Not installed, for few tests need them and they are large:" \
		"${missing[*]}; make $offer installs them"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ "$(id -u)" -eq 0 ] || [ -n "$(command -v sudo)" ] || give_to_root
look_up "${missing[@]}"
if [ ${#found[@]} -gt 0 ] || ! has_lists; then
	echo "Packages are missing; asking apt-get which ones there are"
	as_root apt-get -qq -o DPkg::Lock::Timeout=600 update </dev/null
	look_up "${missing[@]}"
fi
leave_out_absent
[ ${#found[@]} -eq 0 ] || {
	say_how_much "${found[@]}"
	install "${found[@]}"
}
