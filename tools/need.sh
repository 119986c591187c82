#!/bin/sh
# SPDX-License-Identifier: ISC
# need.sh PACKAGE...: installs the Debian packages of these that are missing,
# with apt-get, and says so before it does. Says nothing when none is missing.
set -eu

if ! command -v apt-get >/dev/null; then
	echo "No apt-get here; this needs, by Debian's names: $*" >&2
	exit 0
fi

# What is installed, under each name that it goes by.
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}, ${Provides}\n' |
	sed -n 's/^ii *//p' | tr , '\n' | sed 's/^ *//; s/ .*//')
missing=
for package; do
	echo "$installed" | grep -qxF "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
echo "Installing with ${as_root:+$as_root }apt-get:$missing"
$as_root apt-get -qq update </dev/null
# Unquoted: one word for each package.
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive \
	apt-get -qq -y --no-install-recommends install $missing \
	</dev/null >/dev/null
