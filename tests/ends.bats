#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# How a session ends: what was cut shows on both sides, and what was passed on
# is not taken back.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load listening

teardown()
{
	handler_teardown
	listening_teardown
}

# --- signals ---------------------------------------------------------------

@test "HUP, INT and QUIT do what TERM does: reset on both sides, a record" {
	for signal in HUP INT QUIT; do
		start_target pattern:1K drain-reset
		play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			check:1K kill:$signal reset
		target_held
		has end terminated
		play inet "${greet[@]}" kill:$signal reply:01 eof
		has end terminated
	done
}

@test "also where a parent left them ignored or blocked" {
	for signal in HUP INT QUIT; do
		play -i $signal -b $signal inet "${greet[@]}" kill:$signal \
			reply:01 eof
		has end terminated
	done
}

@test "USR1, USR2, XFSZ and PIPE are ignored" {
	start_target pattern:1K check:1K eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 check:1K \
		kill:USR1 kill:USR2 kill:XFSZ kill:PIPE hold:50 pattern:1K \
		shut eof
	target_held
	has end client-eof
	play inet "${greet[@]}" kill:USR1 kill:USR2 kill:XFSZ kill:PIPE hold:50 \
		"send:$(request4 1)" reply:05 eof
	has end refused
}

@test "so they are in the processes of a listening service, spare or not" {
	for spare in 0 1; do
		start_service --spare=$spare
		there_may_be_spares
		for signal in HUP INT QUIT TERM; do
			enter a "$place" reply:01 closed
			kill -USR1 "$(handlers)"
			kill -$signal "$(handlers)"
			leave a
		done
		wait_for_records 4
		run ! grep -q "ended by signal" "$SERVER_LOG"
		stop_superservers
	done
}

there_may_be_spares()
{
	[ "$spare" -eq 0 ] || wait_until there_are 1 spares
}

@test "QUIT ends the listening service as TERM does" {
	start_service
	kill -QUIT "$service"
	service_left
}

@test "out of memory, the kernel takes a client before the service" {
	for spare in 0 1; do
		start_service --spare=$spare
		there_may_be_spares
		enter a "$place" close
		[ "$(cat "/proc/$(handlers)/oom_score_adj")" -gt \
			"$(cat "/proc/$service/oom_score_adj")" ]
		leave a
		stop_superservers
	done
}

# --- killed ----------------------------------------------------------------

@test "a SIGKILL amid a download or an upload is a reset on both sides" {
	for kind in inet inet6; do
		start_target check:1K fill:64M
		expected="signal 9" play $kind "${greet[@]}" \
			"send:$(request4 "$port")" reply:00 pattern:1K \
			check:1M kill:KILL drain-reset
		start_target drain-reset
		expected="signal 9" play $kind "${greet[@]}" \
			"send:$(request4 "$port")" reply:00 pattern:1M \
			kill:KILL closed
		target_held
	done
}

@test "also after one direction has ended" {
	go=$BATS_TEST_TMPDIR/go
	start_target check:1K eof pattern:1K "await:$go"
	expected="signal 9" play inet "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 pattern:1K shut check:1K \
		kill:KILL reset "touch:$go"
	start_target check:1K shut drain-reset
	expected="signal 9" play inet "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 pattern:1K eof kill:KILL
	target_held
}

# bats test_tags=traced
@test "killed by any call from the reply on: whoever has 00 sees a reset" {
	need_strace
	# A byte of the client's comes with the request.
	for call in setitimer:when=3 setsockopt:when=6 poll:when=2 poll:when=3 \
		sendto:when=1; do
		start_target drain-reset
		run --separate-stderr "$HOSTS/client" inet "${greet[@]}" \
			"send:$(request4 "$port")78" reply:00 drain-reset \
			-- strace -D -o /dev/null \
			-e "inject=${call%:*}:signal=KILL:${call#*:}" \
			"$HANDLER" --log=none
		echo "$call: $output $stderr"
		[ "$status" -eq 0 ]
		target_held
	done
}

@test "of many that are killed at any time, none looks whole" {
	start_service --lifetime=0
	target_options=(-n 24 -l 60)
	start_target flood
	for i in {1..24}; do
		"$HOSTS/client" "$place" "${greet[@]}" \
			"send:$(request4 "$port")" reply:00 recv:00 \
			"touch:$BATS_TEST_TMPDIR/$i" drain-reset 3>&- \
			>/dev/null &
		client=$!
		wait_until [ -e "$BATS_TEST_TMPDIR/$i" ]
		nap "0.00$((RANDOM % 10))"
		kill -KILL "$(handlers)"
		wait "$client"
		wait_until no_handlers
	done
	target_held
}

# --- a client who leaves ---------------------------------------------------

# Where there is no half-close, to be done is to be gone.
@test "a client who sends and closes: all of it arrives, then a clean end" {
	go=$BATS_TEST_TMPDIR/go
	for kind in pipes unix socketpair pipe-socket socket-pipe inet; do
		rm -f "$go"
		start_target hold:100 check:2M "await:$go" hold:50 check:1M \
			hold:50 check:1M eof
		play $kind "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			pattern:4M close "touch:$go"
		target_held
		has bytes_up 4194304
		has end client-eof
	done
}

@test "also where the target says something that nobody reads" {
	go=$BATS_TEST_TMPDIR/go
	for kind in pipes unix socketpair pipe-socket; do
		rm -f "$go"
		# Some of it before the client leaves, and some of it after.
		start_target pattern:1K hold:100 check:2M "await:$go" text:late \
			hold:50 check:1M text:late check:1M eof
		play $kind "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			pattern:4M close "touch:$go"
		target_held
		has bytes_up 4194304
		[[ $(field end) == client-* ]]
	done
	# A TCP client resets its connection then, but has ended before.
	rm -f "$go"
	start_target "await:$go" text:late hold:100 text:late check:400K eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		pattern:400K close hold:50 "touch:$go"
	target_held
	has bytes_up 409600
	has end client-reset
}

@test "a target that answers what nobody reads is let go" {
	for kind in pipes unix; do
		start_target check:1K eof text:thanks shut
		play $kind "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			pattern:1K close
		target_held
	done
	# Also one who never ends.
	start_target check:1K eof fill:1000M
	play pipes "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		pattern:1K close
	has end client-reset
}

# --- a target who leaves ---------------------------------------------------

@test "an answer that is whole arrives, whatever becomes of the upload" {
	# A server that refuses it: answers, ends, and takes no more.
	go=$BATS_TEST_TMPDIR/go
	start_target recv:00 pattern:2M shut hold:100 close
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 send:00 \
		hold:300 fill:1M "await:$BATS_TEST_TMPDIR/port" check:2M closed
	has bytes_down 2097152
}

# bats test_tags=traced,copies
@test "a reset that a write was told of is none to the next read" {
	need_strace
	go=$BATS_TEST_TMPDIR/go
	start_target text:part "await:$go" abort
	run --separate-stderr "$HOSTS/client" inet "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 expect:part text:x hold:100 \
		"touch:$go" reset -- strace -D -o /dev/null \
		-e inject=sendto:delay_enter=300000:when=2 \
		"$HANDLER" --log=stderr
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[[ $stderr == *end=target-reset* ]]
	target_held

	rm "$go"
	start_target text:part "await:$go" text:more drain-reset
	run --separate-stderr "$HOSTS/client" inet "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 expect:part "touch:$go" \
		hold:100 abort wait -- strace -D -o /dev/null \
		-e inject=sendto:delay_enter=300000:when=2 \
		"$HANDLER" --log=stderr
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[[ $stderr == *end=client-reset* ]]
	target_held
}
