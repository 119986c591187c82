# SPDX-License-Identifier: ISC
# For bats: one handler, one client, one target, on real sockets.
#
# The programs client and target ($HOSTS) play steps; tests/hosts/play.h lists
# them. bash drops NUL bytes, so that bytes are written in hex.

load common

# Greeting and answer, without authentication.
greet=(send:050100 recv:0500)

# hex16 N: two bytes, as a port goes over the wire.
hex16()
{
	printf '%04x' "$1"
}

# hex_of STRING
hex_of()
{
	printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'
}

# hex4 ADDRESS: an IPv4 address, as it goes over the wire.
hex4()
{
	local -a octets

	IFS=. read -ra octets <<<"$1"
	printf %02x "${octets[@]}"
}

# request4 PORT [ADDRESS]: CONNECT to 127.0.0.1, or to ADDRESS; request6 PORT:
# to ::1
request4()
{
	printf '05010001%s%04x\n' "$(hex4 "${2:-127.0.0.1}")" "$1"
}

request6()
{
	printf '0501000400000000000000000000000000000001%04x\n' "$1"
}

# request_name NAME PORT
request_name()
{
	printf '05010003%02x%s%04x\n' "${#1}" "$(hex_of "$1")" "$2"
}

# start_target [OPTION...] STEP...: listens; the port is in $port.
start_target()
{
	local file=$BATS_TEST_TMPDIR/port

	[ ! -e "$file" ] || rm "$file" # of the one before
	"$HOSTS/target" "${target_options[@]}" "$file" "$@" \
		>"$BATS_TEST_TMPDIR/target.out" 2>"$BATS_TEST_TMPDIR/target.err" 3>&- &
	target=$!
	for ((i = 0; i < 500; i++)); do
		[ -e "$file" ] && break
		nap 0.01
	done
	read -r port <"$file"
}

# The target's steps have held; shows what it said if not.
target_held()
{
	local status=0

	wait "$target" || status=$?
	target=
	if [ "$status" -ne 0 ]; then
		echo "target ended with status $status:"
		cat "$BATS_TEST_TMPDIR/target.err"
		return 1
	fi
}

# play [CLIENTOPTION...] KIND STEP... [-- HANDLEROPTION...]: hands a connection
# over to the handler. All steps must hold, and the handler exit with 0 (or
# as $expected says). Leaves $output, $record, and the record's fields to
# field().
play()
{
	local -a steps=()

	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	shift || :
	run --separate-stderr "$HOSTS/client" "${steps[@]}" -- \
		"$HANDLER" "${log:---log=stderr}" "$@"
	record=$stderr
	[[ $record == "socks5-handler: client="*([!$'\n']) ]] ||
		record=$(grep '^socks5-handler: client=' <<<"$stderr" || :)
	record=${record#socks5-handler: }
	# Shown by bats when a test fails.
	echo "$output"
	echo "$stderr"
	[ "$status" -eq 0 ] || return 1
	# What a listening service says of a client's process.
	[[ $stderr != *"ended by signal"* || ${expected:-} == signal* ]] ||
		return 1
	[ "${lines[-1]}" = "${expected:-exit 0}" ]
}

# For tests that look at system calls, or make them fail. The leak sanitizer
# can't work in a traced process.
need_strace()
{
	need strace
	export ASAN_OPTIONS=abort_on_error=1:detect_leaks=0
}

# The tracer may end a little later than the handler.
trace_is_whole()
{
	wait_until grep -q '^+++ exited' "$BATS_TEST_TMPDIR/trace"
}

# find_field NAME: a value of the record, without quotes, in $value.
find_field()
{
	value=
	[[ $record =~ ^(.*\ )?$1=(\"[^\"]*\"|[^\ ]*) ]] || return 0
	value=${BASH_REMATCH[2]//\"/}
}

field()
{
	local value

	find_field "$1"
	[ -z "$value" ] || echo "$value"
}

# has NAME VALUE: the record says so.
has()
{
	local value

	find_field "$1"
	[ "$value" = "$2" ] || {
		echo "$1 is '$value', not '$2'"
		return 1
	}
}

# at_least A B, at_most A B
at_least()
{
	[ "$1" -ge "$2" ] || {
		echo "$1 is less than $2"
		return 1
	}
}

at_most()
{
	[ "$1" -le "$2" ] || {
		echo "$1 is more than $2"
		return 1
	}
}

handler_teardown()
{
	if [ -n "${target:-}" ]; then
		kill "$target" 2>/dev/null || :
		wait "$target" 2>/dev/null || :
	fi
}

target_options=()
target=
