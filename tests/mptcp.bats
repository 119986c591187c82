#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# --mptcp: Multipath TCP to the target where it can be had, TCP where it can't,
# and the record says which.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load handler

setup()
{
	[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ] ||
		unavailable "no Multipath TCP here"
	target_options=(-m)
}

teardown()
{
	handler_teardown
}

# relays STEP...: 300 KiB each way, with each half-close in its turn.
relays()
{
	start_target check:300K eof pattern:300K
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		pattern:300K shut check:300K eof -- "$@"
	target_held
	has bytes_up 307200
	has bytes_down 307200
	has end client-eof
}

@test "mptcp=yes, and bytes and ends are relayed, copied or spliced" {
	relays --mptcp
	has mptcp yes
	for HANDLER in "$HANDLER" "$HANDLER-splice"; do
		start_target pattern:300K shut check:300K eof
		play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			check:300K eof pattern:300K shut -- --mptcp
		target_held
		has mptcp yes
		has end target-eof
		start_target exchange:8M shut eof
		play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			exchange:8M shut eof -- --mptcp
		target_held
		has mptcp yes
		has bytes_up 8388608
		has bytes_down 8388608
	done
	target_options+=(-6)
	start_target text:six shut eof
	play pipes "${greet[@]}" "send:$(request6 "$port")" reply:00 \
		expect:six eof shut -- --mptcp
	target_held
	has mptcp yes
}

@test "a cut never looks whole" {
	start_target expect:go text:half abort
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 text:go \
		drain-reset -- --mptcp
	target_held
	has end target-reset
	start_target expect:half reset
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		text:half abort -- --mptcp
	target_held
	has end client-reset
	start_target expect:half reset
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		text:half reset -- --mptcp --lifetime=0.3
	target_held
	has mptcp yes
	has end lifetime
}

@test "nor one by a SIGKILL, on either side" {
	start_target expect:go flood
	expected="signal 9" play mptcp "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 text:go recv:00 kill:KILL \
		drain-reset -- --mptcp
	target_held
}

@test "mptcp=no: a target without it, a rate, a kernel that doesn't want to" {
	relays --mptcp --rate=100000000
	has mptcp no
	target_options=()
	relays --mptcp
	has mptcp no
	relays
	has mptcp ''
	# In a file it is the same.
	target_options=(-m)
	echo mptcp >"$BATS_TEST_TMPDIR/conf"
	relays --config="$BATS_TEST_TMPDIR/conf"
	has mptcp yes
	need_namespaces
	run --separate-stderr unshare -rn sh -c '
		ip link set lo up
		echo 0 >/proc/sys/net/mptcp/enabled
		"$1/target" "$0/port.0" expect:ping text:pong eof & target=$!
		for i in $(seq 500); do
			[ ! -e "$0/port.0" ] || break
			sleep 0.02
		done
		"$1/client" inet send:050100 recv:0500 send:050100017f000001$(
			printf %04x "$(cat "$0/port.0")") reply:00 text:ping \
			expect:pong shut eof -- "$2" --log=stderr --mptcp
		status=$?
		wait $target && exit $status' \
		"$BATS_TEST_TMPDIR" "$HOSTS" "$HANDLER"
	echo "$output" "$stderr"
	[ "$status" -eq 0 ]
	record=${stderr#socks5-handler: }
	has mptcp no
	has end client-eof
}
