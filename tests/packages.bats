#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# tools/need.sh, with apt-get and dpkg as they are, a Debian of two packages and
# a root directory of its own.

load superservers

# make_package NAME FIELD...: in $repository.
make_package()
{
	local dir=$BATS_TEST_TMPDIR/$1 file=$repository/$1.deb

	mkdir -p "$dir/DEBIAN" "$dir/usr/share"
	echo "$1" >"$dir/usr/share/$1"
	printf '%s\n' "Package: $1" "Version: 1" "Architecture: all" \
		"Maintainer: nobody" "Installed-Size: 2048" "${@:2}" \
		"Description: nothing" >"$dir/DEBIAN/control"
	dpkg-deb -b "$dir" "$file" >"$BATS_TEST_TMPDIR/deb.log"
	{
		cat "$dir/DEBIAN/control"
		echo "Filename: ./$1.deb"
		echo "Size: $(stat -c %s "$file")"
		echo "SHA256: $(sha256sum <"$file" | cut -d ' ' -f 1)"
		echo
	} >>"$repository/Packages"
}

setup()
{
	need apt-get dpkg-deb dpkg-query unshare
	need_root "install packages"
	repository=$BATS_TEST_TMPDIR/repository
	root=$BATS_TEST_TMPDIR/root
	mkdir -p "$repository" "$root/var/lib/dpkg/info" \
		"$root/var/lib/dpkg/updates" "$BATS_TEST_TMPDIR/lists" \
		"$BATS_TEST_TMPDIR/cache/archives/partial"
	: >"$root/var/lib/dpkg/status"
	make_package s5-one 'Depends: s5-two' 'Provides: s5-other, s5-third (= 2)'
	make_package s5-two
	echo "deb [trusted=yes] file:$repository ./" \
		>"$BATS_TEST_TMPDIR/sources.list"
	export DPKG_ADMINDIR=$root/var/lib/dpkg
	export APT_CONFIG=$BATS_TEST_TMPDIR/apt.conf
	cat >"$APT_CONFIG" <<-END
		Dir::Etc::Main "/dev/null";
		Dir::Etc::Parts "/dev/null";
		Dir::Etc::SourceList "$BATS_TEST_TMPDIR/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::State "$BATS_TEST_TMPDIR";
		Dir::State::Lists "$BATS_TEST_TMPDIR/lists";
		Dir::State::Status "$DPKG_ADMINDIR/status";
		Dir::Cache "$BATS_TEST_TMPDIR/cache";
		DPkg::Options {"--root=$root";};
		APT::Sandbox::User "root";
	END
	unset CI
}

need_sh()
{
	run "$TOP/tools/need.sh" "$@"
}

@test "says how many packages and how much, and installs them" {
	need_sh s5-one
	[ "$status" -eq 0 ]
	[ "${lines[1]}" = "Installing with apt-get: s5-one" ]
	[[ ${lines[2]} == "2 packages with those that they need; "*" to fetch, "*" on the disk" ]]
	# Something moves meanwhile.
	[[ ${lines[3]} == *[0-9]" %" ]]
	[ "$(cat "$root/usr/share/s5-two")" = s5-two ]
	# There now, under each of its names.
	need_sh s5-one s5-other s5-third
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "what Debian hasn't got is left out; in CI it is an error" {
	need_sh s5-none s5-two
	[ "$status" -eq 0 ]
	[[ $output == *" hasn't got these, and what needs them is left out: s5-none"* ]]
	[ -e "$root/usr/share/s5-two" ]
	# And nothing else is there to be said, or asked.
	need_sh s5-none s5-two
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 1 ]
	CI=true need_sh s5-none s5-two
	[ "$status" -ne 0 ]
}

@test "without root and sudo: the line for root, and it works" {
	apt-get -qq update
	# shellcheck disable=SC2016 # for the inner shell
	run unshare -m sh -c '[ ! -e /usr/bin/sudo ] ||
		mount --bind /dev/null /usr/bin/sudo
		exec unshare -U --map-user=1000 "$0/tools/need.sh" s5-one' "$TOP"
	[ "$status" -ne 0 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "Only root can install what is missing here, by typing "* ]]
	eval "${output#* typing } -y"
	[ -e "$root/usr/share/s5-one" ]
}

@test "what doesn't install: apt-get's own words" {
	make_package s5-three 'Depends: s5-none'
	need_sh s5-three
	[ "$status" -ne 0 ]
	[[ $output == *"Depends: s5-none but it is not installable"* ]]
}

@test "what is large is only offered" {
	need_sh --offer large-packages s5-one s5-two
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *": s5-one s5-two; make large-packages installs them" ]]
	[ ! -e "$root/usr/share/s5-one" ]
}
