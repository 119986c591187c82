#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The relay: both ways, to the last byte, and no cut that looks like an end.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load handler

teardown()
{
	handler_teardown
}

@test "half-close by the client: the answer still comes" {
	start_target check:1M eof pattern:1M
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		pattern:1M shut check:1M eof
	target_held
	has bytes_up 1048576
	has bytes_down 1048576
	has end client-eof
}

@test "half-close by the target: the client may go on" {
	start_target pattern:1M shut check:1M eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		check:1M eof pattern:1M shut
	target_held
	has bytes_up 1048576
	has bytes_down 1048576
	has end target-eof
}

@test "half-close both ways over every kind of connection" {
	for kind in inet6 unix socketpair pipes pipe-socket socket-pipe \
		pipe-inet inet-pipe; do
		start_target check:300K eof pattern:300K
		play $kind "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			pattern:300K shut check:300K eof
		target_held
		has end client-eof
		start_target pattern:300K shut check:300K eof
		play $kind "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			check:300K eof pattern:300K shut
		target_held
		has end target-eof
	done
}

@test "bulk both ways at once, whole and in order, over every kind" {
	for kind in inet inet6 unix socketpair pipes pipe-socket socket-pipe; do
		start_target exchange:8M shut eof
		play $kind "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			exchange:8M shut eof
		target_held
		has bytes_up 8388608
		has bytes_down 8388608
	done
}

@test "a reset by the target reaches the client as a reset" {
	go=$BATS_TEST_TMPDIR/go
	start_target pattern:1K "await:$go" abort
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 check:1K \
		"touch:$go" reset
	has end target-reset
	target_held
}

@test "a reset by the client reaches the target as a reset" {
	start_target check:1K drain-reset
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		pattern:1K hold:50 abort
	target_held
	has end client-reset
}

@test "a reset by the client whose way back has ended" {
	start_target shut check:1K drain-reset
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		pattern:1K eof hold:50 abort
	target_held
	has end client-reset
}

@test "a reset by the target after the client's end" {
	go=$BATS_TEST_TMPDIR/go
	start_target check:1K eof "await:$go" abort
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		pattern:1K shut "touch:$go" reset
	has end target-reset
	target_held
}

@test "a reset by the client while the target takes nothing" {
	go=$BATS_TEST_TMPDIR/go
	start_target "await:$go" drain-reset
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		fill:64M abort wait "touch:$go"
	target_held
	has end client-reset
}

@test "what a target sent before its reset is not lost" {
	# A server that refuses an upload does that. It waits until its own
	# kernel has nothing left to send, for a reset throws that away.
	start_target pattern:200K recv:00 hold:200 abort
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		send:0000 check:200K reset
	target_held
	has end target-reset
}

@test "a vanished reader of the pipe ends the session" {
	start_target drain-reset
	play pipes "${greet[@]}" "send:$(request4 "$port")" reply:00 close
	target=
	[[ $(field end) == client-* ]]
}

# bats test_tags=traced
@test "a pipe without a reader is an error, not a signal" {
	need_strace
	# The answer is written after the reader has gone.
	run --separate-stderr "$HOSTS/client" pipes send:050100 hold:50 close \
		wait -- strace -D -o /dev/null \
		-e inject=write:delay_enter=300000:when=1 "$HANDLER" --log=stderr
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "exit 0" ]
	[[ $stderr == *end=client-reset* ]]
}

# buffers: what may be under way from one end to the other: what the kernel lets
# two sockets send and two receive, and our own buffer and pipe.
buffers()
{
	awk '{ sum += 2 * $3 } END { print sum + 2 * 262144 }' \
		/proc/sys/net/ipv4/tcp_rmem /proc/sys/net/ipv4/tcp_wmem
}

@test "back-pressure: a target that takes nothing stops the client" {
	go=$BATS_TEST_TMPDIR/go
	start_target "await:$go" drain-eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		fill:256M stopped-cpu:300 "touch:$go" shut eof
	target_held
	filled=$(sed -n 's/^filled //p' <<<"$output")
	at_most "$filled" "$(buffers)"
	has bytes_up "$filled"
}

@test "back-pressure: a client that takes nothing stops the target" {
	go=$BATS_TEST_TMPDIR/go
	start_target fill:256M "touch:$go" shut eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		"await:$go" stopped-cpu:300 drain-eof shut
	target_held
	filled=$(sed -n 's/^filled //p' "$BATS_TEST_TMPDIR/target.out")
	at_most "$filled" "$(buffers)"
	has bytes_down "$filled"
	[[ $output == *"drained $filled"* ]]
}

@test "back-pressure over pipes and unix sockets" {
	for kind in pipes unix pipe-socket socket-pipe; do
		rm -f "$BATS_TEST_TMPDIR/go"
		start_target "await:$BATS_TEST_TMPDIR/go" drain-eof
		play $kind "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			fill:256M stopped-cpu:200 "touch:$BATS_TEST_TMPDIR/go" \
			shut eof
		target_held
		has bytes_up "$(sed -n 's/^filled //p' <<<"$output")"
	done
}

@test "no busy loop: idle, half-closed either way, over every kind" {
	for kind in inet unix socketpair pipes pipe-socket socket-pipe; do
		go=$BATS_TEST_TMPDIR/go
		rm -f "$go"
		start_target "await:$go" shut eof
		play $kind "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			stopped-cpu:150 shut stopped-cpu:150 "touch:$go" eof
		target_held
		rm -f "$go"
		start_target shut "await:$go" eof
		play $kind "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			eof stopped-cpu:150 "touch:$go" shut
		target_held
	done
}

@test "no busy loop: a client that has closed its unix socket altogether" {
	# The kernel reports POLLHUP for ever, while the target is still to
	# take what the client left.
	go=$BATS_TEST_TMPDIR/go
	start_target "await:$go" check:300K eof
	play unix "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		pattern:300K close stopped-cpu:200 "touch:$go"
	target_held
	has bytes_up 307200
}

# bats test_tags=traced
@test "TCP_NODELAY on both sides: a request in two pieces is not held back" {
	need_strace
	start_target expect:ping text:pong eof
	run "$HOSTS/client" inet "${greet[@]}" "send:$(request4 "$port")" \
		reply:00 text:pi text:ng expect:pong shut eof -- strace -D \
		-e trace=setsockopt -o "$BATS_TEST_TMPDIR/trace" \
		"$HANDLER" --log=none
	[ "$status" -eq 0 ]
	target_held
	trace_is_whole
	[ "$(grep -c 'TCP_NODELAY, \[1\], 4) *= 0' \
		"$BATS_TEST_TMPDIR/trace")" -eq 2 ]
}

@test "urgent data stays in the stream" {
	start_target expect:abXcd eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		text:ab hold:50 urgent:58 hold:50 text:cd shut eof
	target_held
	has bytes_up 5
}

@test "two urgent bytes in a row: both, in place, from either side" {
	start_target expect:abXYcdZ text:ab hold:50 urgent:58 urgent:59 text:cd \
		eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		text:ab hold:50 urgent:58 urgent:59 text:cd urgent:5a \
		expect:abXYcd shut eof
	target_held
	has bytes_up 7
	has bytes_down 6
	# The first of all that comes.
	start_target urgent:58 urgent:59 eof
	play inet "${greet[@]}" "send:$(request4 "$port")" urgent:58 urgent:59 \
		reply:00 expect:XY shut eof
	has bytes_up 2
}

@test "an inherited pipe gets its flags back" {
	# The shell keeps the same open pipe ends that the handler used.
	mkfifo "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	exec 5<>"$BATS_TEST_TMPDIR/in" 6<>"$BATS_TEST_TMPDIR/out"
	start_target eof
	printf %b "$(printf '050100%s' "$(request4 "$port")" |
		sed 's/../\\x&/g')" >&5
	"$HANDLER" --log=stderr --idle-timeout=0.2 <&5 >&6 5>&- 6>&- \
		2>"$BATS_TEST_TMPDIR/err"
	grep -q end=idle "$BATS_TEST_TMPDIR/err"
	for fd in 5 6; do
		flags=$(awk '$1 == "flags:" {print $2}' /proc/$$/fdinfo/$fd)
		(((8#$flags & 8#4000) == 0))
	done
	exec 5>&- 6>&-
}

# calls KIND STEP...: play over KIND, to which the client takes these steps;
# the system calls that moved bytes are in $trace, one for each kind of them.
calls()
{
	trace=$BATS_TEST_TMPDIR/trace
	run "$HOSTS/client" "$1" "${greet[@]}" "send:$(request4 "$port")" \
		reply:00 "${@:2}" -- strace -D -o "$trace" \
		-e trace=splice,pipe2,fcntl,recvfrom,sendto \
		"$HANDLER" --log=none
	echo "$output"
	[ "$status" -eq 0 ]
	trace_is_whole
	target_held
}

# bats test_tags=traced,copies
@test "small messages are copied, and no pipe is made for them" {
	need_strace
	start_target check:15K pattern:15K eof
	calls inet pattern:15K check:15K shut eof
	run ! grep -E 'splice|pipe2|SETPIPE' "$trace"
}

# bats test_tags=traced
@test "bulk is spliced, through one pipe of 256 KiB for each way" {
	need_strace
	start_target check:4M eof
	calls inet pattern:4M shut eof
	[ "$(grep -c '^pipe2' "$trace")" -eq 1 ]
	grep -q 'F_SETPIPE_SZ, 262144) *= 262144' "$trace"
	# A read and a write of the copying way at its beginning, or few.
	at_most "$(grep -cE '^recvfrom.* = [1-9]' "$trace")" 4
	at_least "$(grep -cE '^splice.* = [1-9]' "$trace")" 16
}

# bats test_tags=traced
@test "bulk is spliced from pipe to socket without a pipe of our own" {
	need_strace
	start_target check:4M eof pattern:4M
	calls pipes pattern:4M shut check:4M eof
	run ! grep -E '^pipe2|SETPIPE' "$trace"
	at_least "$(grep -cE '^splice.* = [1-9]' "$trace")" 32
}

# bats test_tags=traced
@test "bulk with the user's ration of pipe memory used up" {
	need_strace
	# Whatever else a user runs gives pipes back.
	need_root "be a user who runs nothing else"
	dir=$(mktemp -d) # that another user can enter
	chmod 755 "$dir"
	cp "$HOSTS/client" "$HANDLER" "$dir"
	user=(setpriv --reuid=$((1000000 + BASHPID)) --clear-groups)
	start_target check:4M eof pattern:4M
	mkdir -m 777 "$dir/out"
	trace=$dir/out/trace
	run --separate-stderr env TMPDIR="$dir/out" "${user[@]}" \
		"$dir/client" -r inet "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 pattern:4M shut check:4M \
		eof -- strace -D -o "$trace" \
		-e trace=splice,pipe2,fcntl,recvfrom \
		"$dir/${HANDLER##*/}" --log=stderr
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	wait_until grep -q '^+++ exited' "$trace"
	spliced=$(grep -cE '^splice.* = [1-9]' "$trace" || :)
	refused=$(grep -c 'F_SETPIPE_SZ, 262144) *= -1 EPERM' "$trace" || :)
	large=$(grep -cE '^recvfrom.*, 262144, ' "$trace" || :)
	rm -rf "$dir"
	target_held
	[[ $output == "ration gone"* ]]
	[[ $stderr == *"bytes_up=4194304 bytes_down=4194304 "* ]]
	[ "$spliced" -eq 0 ]
	[ "$refused" -eq 2 ]
	at_least "$large" 2
}

@test "what is in the pipe when the target ends early is not counted" {
	# It takes some and resets: no byte of what it never got is in the record.
	go=$BATS_TEST_TMPDIR/go
	start_target check:1M "await:$go" abort
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		fill:64M "touch:$go" closed
	target_held
	has end target-reset
	filled=$(sed -n 's/^filled //p' <<<"$output")
	at_least "$(field bytes_up)" 1048576
	at_most "$(field bytes_up)" "$((filled))"
}

@test "urgent data in the middle of bulk stays where it is" {
	start_target check:1M expect:X check:1M eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		pattern:1M urgent:58 pattern:1M shut eof
	target_held
	has bytes_up 2097153
}
