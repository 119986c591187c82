# SPDX-License-Identifier: ISC
# For bats: UDP ASSOCIATE, a target for its datagrams, and their headers in hex.
#
#	start_udp_target -a 127.0.0.1
#	play inet "${associate[@]}" "put:$(to4 "$port")6869" \
#		"get:$(to4 "$port")6869" close
#
# and stop_udp_targets in teardown(). Behind handler.bash, or remote.bash.

# From greeting to reply, for a client that doesn't say where it sends from.
associate=("${greet[@]}" ask:0100000000 associated)

# start_udp_target [OPTION...]: answers datagrams; the port is in $port, and
# what it says goes to $udp_out. The command in $in_there runs it.
start_udp_target()
{
	local file=$BATS_TEST_TMPDIR/udp-port

	rm -f "$file"
	udp_out=$BATS_TEST_TMPDIR/udp-target.${#others[@]}
	"${in_there[@]}" "$HOSTS/udp-target" "$@" "$file" >"$udp_out" 3>&- &
	others+=($!)
	wait_until test -e "$file"
	port=$(cat "$file")
}

# And whatever else is in $others.
stop_udp_targets()
{
	local pid

	for pid in "${others[@]}"; do
		end_process "$pid"
	done
	others=()
}

in_there=()
others=()

# to4 PORT [HEX], to6 PORT [HEX], to_name NAME PORT: headers; the address is
# that of loopback, or HEX.
to4()
{
	echo "00000001${2:-7f000001}$(hex16 "$1")"
}

to6()
{
	echo "00000004${2:-00000000000000000000000000000001}$(hex16 "$1")"
}

to_name()
{
	printf '00000003%02x%s%s\n' "${#1}" "$(hex_of "$1")" "$(hex16 "$2")"
}
