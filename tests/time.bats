#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The alarm ends every phase, and says what it has to.

load handler

teardown()
{
	handler_teardown
}

@test "--handshake-timeout: a client that says nothing" {
	play inet closed wait -- --handshake-timeout=0.2
	has end handshake-timeout
	at_least "$(field duration_ms)" 200
}

@test "--handshake-timeout: a greeting and no request is REP 01" {
	play inet "${greet[@]}" reply:01 eof -- --handshake-timeout=0.2
	has end handshake-timeout
	has reply 1
}

@test "--handshake-timeout: one byte at a time doesn't stretch it" {
	play inet send:05 hold:150 send:01 hold:150 recv:05ff eof -- \
		--handshake-timeout=0.2
	has end handshake-timeout
}

@test "--handshake-timeout over pipes, blocking and non-blocking" {
	for kind in pipes unix socketpair pipe-socket; do
		play $kind "${greet[@]}" reply:01 eof -- --handshake-timeout=0.2
		has end handshake-timeout
	done
}

@test "--connect-timeout: a silent host is REP 04, and the client gets it" {
	target_options=(-x)
	start_target
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:04 eof -- \
		--connect-timeout=0.3
	has end connect-timeout
	has reply 4
	at_least "$(field connect_ms)" 300
}

@test "--lifetime: a tunnel alive at its end is reset on both sides" {
	start_target pattern:1K drain-reset
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 check:1K \
		reset -- --lifetime=0.3
	target_held
	has end lifetime
	at_least "$(field duration_ms)" 300
}

@test "--lifetime: a busy tunnel ends too" {
	# poll never sleeps here: an alarm that were let in only while it does
	# would never be seen.
	start_target pattern:100000M
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		drain-reset -- --lifetime=0.3
	has end lifetime
	at_most "$(field duration_ms)" 5000
}

@test "--lifetime: a full pipe whose reader sleeps" {
	start_target fill:256M drain-reset
	play pipes "${greet[@]}" "send:$(request4 "$port")" reply:00 wait -- \
		--lifetime=0.5
	has end lifetime
}

@test "--lifetime counts from the reply, not from the start" {
	start_target eof
	play inet hold:300 "${greet[@]}" hold:100 "send:$(request4 "$port")" \
		reply:00 quiet:200 shut eof -- --lifetime=2 --handshake-timeout=5
	target_held
	has end client-eof
}

# bats test_tags=traced
@test "the default lifetime is 30 seconds" {
	need_strace
	start_target eof
	run "$HOSTS/client" inet "${greet[@]}" "send:$(request4 "$port")" \
		reply:00 shut eof -- strace -D -e trace=setitimer \
		-o "$BATS_TEST_TMPDIR/trace" "$HANDLER" --log=none
	[ "$status" -eq 0 ]
	target_held
	trace_is_whole
	grep -o 'it_value={[^}]*}' "$BATS_TEST_TMPDIR/trace" |
		sed 's/.*tv_sec=\([0-9]*\).*/\1/' >"$BATS_TEST_TMPDIR/seconds"
	# Handshake, connecting, relay, and the log's own at the end, which
	# rings each tenth of a second.
	[ "$(tr '\n' ' ' <"$BATS_TEST_TMPDIR/seconds")" = "10 10 30 0 " ]
}

# bats test_tags=traced
@test "--lifetime=0 is no limit, with keep-alive on both sides" {
	need_strace
	start_target eof
	run "$HOSTS/client" inet "${greet[@]}" "send:$(request4 "$port")" \
		reply:00 shut eof -- strace -D -e trace=setitimer,setsockopt \
		-o "$BATS_TEST_TMPDIR/trace" "$HANDLER" --log=none --lifetime=0
	[ "$status" -eq 0 ]
	target_held
	trace_is_whole
	grep -q 'it_value={tv_sec=0, tv_usec=0}' "$BATS_TEST_TMPDIR/trace"
	# Two hours are the default.
	[ "$(grep -c 'SO_KEEPALIVE, \[1\]' "$BATS_TEST_TMPDIR/trace")" = 2 ]
	[ "$(grep -c 'TCP_KEEPIDLE, \[60\]' "$BATS_TEST_TMPDIR/trace")" = 2 ]
}

@test "--idle-timeout: no byte either way, reset on both sides" {
	start_target pattern:1K drain-reset
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 check:1K \
		hold:100 reset -- --idle-timeout=0.3
	target_held
	has end idle
}

@test "--idle-timeout: a byte now and then keeps it" {
	start_target expect:abcd eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 text:a \
		hold:300 text:b hold:300 text:c hold:300 text:d shut eof -- \
		--idle-timeout=0.6
	target_held
	has end client-eof
}

@test "SIGTERM ends the session in every phase, with its record" {
	play inet "${greet[@]}" kill:TERM reply:01 eof wait
	has end terminated
	start_target drain-reset
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 kill:TERM \
		reset
	target_held
	has end terminated
	target_options=(-x)
	start_target
	play inet "${greet[@]}" "send:$(request4 "$port")" hold:100 kill:TERM \
		reply:01 eof
	has end terminated
}

# bats test_tags=traced
@test "SIGTERM just before the relay begins is not forgotten" {
	need_strace
	start_target drain-reset
	# It comes while the handler asks for its address, before the reply.
	run --separate-stderr "$HOSTS/client" -l 10 inet "${greet[@]}" \
		"send:$(request4 "$port")" hold:150 kill:TERM reply:00 reset \
		-- strace -D -o /dev/null \
		-e inject=getsockname:delay_exit=400000 "$HANDLER" --log=stderr
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	target_held
	[[ $stderr == *end=terminated* ]]
}

@test "what a parent left ignored or blocked is set right" {
	start_target drain-reset
	play -i ALRM -i PIPE -i CHLD -i TERM -b ALRM -b TERM -b CHLD inet \
		"${greet[@]}" "send:$(request_name localhost "$port")" \
		reply:00 reset -- --lifetime=0.3
	target_held
	has end lifetime
	start_target drain-reset
	play -i TERM -b TERM inet "${greet[@]}" "send:$(request4 "$port")" \
		reply:00 kill:TERM reset
	has end terminated
}
