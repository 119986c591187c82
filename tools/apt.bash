# SPDX-License-Identifier: ISC
# For need.sh and fetch-superservers.sh: what apt knows on this machine.

has_lists()
{
	local dir

	eval "$(apt-config shell dir Dir::State::Lists/f)"
	[ -n "$(find "$dir" -name '*_Packages*' -print -quit 2>/dev/null)" ]
}

# use_own_lists DIR: fresh ones in there, which needs no root and changes
# nothing on this machine; what apt-get says goes to standard error.
use_own_lists()
{
	mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
	cat >"$1/apt.conf" <<-END
		Dir::State::Lists "$1/lists";
		Dir::Cache "$1/cache";
		APT::Sandbox::User "root";
	END
	export APT_CONFIG=$1/apt.conf
	apt-get -qq update </dev/null >&2
}

# look_up PACKAGE...: of these, the array `found` has those that apt's lists
# have, `absent` the others.
look_up()
{
	local package

	found=() absent=()
	mapfile -t found < <(apt-cache show --no-all-versions "$@" 2>/dev/null |
		sed -n 's/^Package: //p' | sort -u)
	for package; do
		[[ " ${found[*]} " == *" $package "* ]] || absent+=("$package")
	done
}

# leave_out_absent: says which, and fails where the CI runs: nothing may be left
# out there.
leave_out_absent()
{
	[ ${#absent[@]} -gt 0 ] || return 0
	# shellcheck disable=SC1091 # of this machine
	echo "$(. /etc/os-release && echo "$PRETTY_NAME") hasn't got these," \
		"and what needs them is left out: ${absent[*]}" >&2
	[ -z "${CI:-}" ]
}
