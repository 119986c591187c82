#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# fresh.sh make RELEASE DIR	makes a fresh Debian of that release in DIR/root,
#				with git and make, from where this machine's
#				apt gets its packages
# fresh.sh in DIR COMMAND...	runs COMMAND in there, as root, in namespaces
#				that end with it; packages that are fetched in
#				there are kept in DIR/archives
#
# Needs root. For check-on.sh.
set -eu

# sources RELEASE: for sources.list, this machine's with another release in it.
# Where it has none of Debian's, mmdebstrap knows a mirror.
sources()
{
	local here uri suite component

	# shellcheck disable=SC1091 # of this machine
	here=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # apt fills in
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' |
		while read -r uri suite component; do
			[[ $suite != "$here"* ]] ||
				echo "deb $uri $1${suite#"$here"} $component"
		done
}

make_system()
{
	local dir=$2
	local -a from=()

	mkdir -p "$dir/archives/partial"
	rm -rf --one-file-system "$dir/root"
	# A proxy, and what else this machine's apt has to be told.
	apt-config dump | grep -E '^Acquire::(https?|Check-)' >"$dir/apt.conf" || :
	sources "$1" >"$dir/sources"
	[ ! -s "$dir/sources" ] || from=("$dir/sources")
	mmdebstrap --quiet --variant=minbase --include=git,make \
		--aptopt="$dir/apt.conf" "$1" "$dir/root" "${from[@]}"
	cp /etc/resolv.conf /etc/hosts "$dir/root/etc/"
}

# enter DIR COMMAND...: in the new namespaces.
enter()
{
	local dir=$1

	shift
	mount --bind "$dir/root" "$dir/root"
	cd "$dir/root"
	mount -t proc proc proc
	mount --rbind /sys sys
	mount --rbind /dev dev
	mount -t tmpfs -o mode=755 tmpfs run
	mount --bind "$dir/archives" var/cache/apt/archives
	mkdir .outside
	pivot_root . .outside
	cd /
	umount -l .outside
	rmdir .outside
	exec env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"$@"
}

case ${1:-}.$# in
make.3)
	make_system "$2" "$(realpath -m "$3")"
	;;
in.[3-9]*)
	dir=$(realpath "$2")
	shift 2
	exec unshare --mount --propagation private --pid --fork \
		--kill-child=KILL "$BASH" "$(realpath "$0")" enter "$dir" "$@"
	;;
enter.*)
	shift
	enter "$@"
	;;
*)
	echo 'usage: fresh.sh make RELEASE DIR | fresh.sh in DIR COMMAND...' >&2
	exit 64
	;;
esac
