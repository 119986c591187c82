#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What is handed over: a mistake in the set-up gets one sentence that says what
# to change, and exit 64; what a parent left behind is put in order.

load handler

teardown()
{
	handler_teardown
}

# complains STATUS SENTENCE-PATTERN: what the last run did.
complains()
{
	echo "status $status: $output"
	[ "$status" -eq "$1" ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "socks5-handler: "* ]]
	# shellcheck disable=SC2053 # a pattern
	[[ $output == $2 ]]
}

@test "a terminal" {
	need script
	run script -qec "'$HANDLER'" /dev/null </dev/null
	output=${output//$'\r'/}
	complains 64 "*descriptor 0 is a terminal*super-server*"
}

@test "a closed descriptor 0, 1, or both" {
	run bash -c '"$HANDLER" 0<&-'
	complains 64 "*descriptor 0 is closed*"
	run bash -c 'sleep 0 | "$HANDLER" 1>&-'
	complains 64 "*descriptor 1 is closed*"
	run bash -c '"$HANDLER" 0<&- 1>&-'
	complains 64 "*descriptor 0 is closed*"
}

@test "a file, a directory, /dev/null" {
	run bash -c '"$HANDLER" </etc/passwd'
	complains 64 "*descriptor 0 is a file*"
	run bash -c '"$HANDLER" </'
	complains 64 "*descriptor 0 is a directory*"
	run bash -c '"$HANDLER" </dev/null'
	complains 64 "*descriptor 0 is a device*StandardInput=socket*"
}

@test "a datagram socket" {
	need socat
	run timeout 10 socat -t 5 - "EXEC:$HANDLER,socktype=2" </dev/null
	[[ $output == *"descriptor 0 is not a stream socket"*"socket_type"* ]]
}

@test "LISTEN_FDS meant for somebody else is not ours" {
	export LISTEN_FDS=1 LISTEN_PID=1
	play inet "${greet[@]}" "send:$(request4 1)" reply:05 eof
}

# bats test_tags=libsystemd
@test "LISTEN_FDS without libsystemd: a sentence, exit 71" {
	need_namespaces
	library=$(ldconfig -p | awk '/libsystemd\.so\.0 / {print $NF; exit}')
	run unshare -rm sh -c 'mount --bind /dev/null "$0" || exit 99
		LISTEN_FDS=1 "$HANDLER" </dev/null' "$library"
	complains 71 "*libsystemd.so.0 can't be loaded*StandardInput=socket*"
}

@test "without libsystemd everything else works" {
	need_namespaces
	library=$(ldconfig -p | awk '/libsystemd\.so\.0 / {print $NF; exit}')
	run unshare -rm sh -c 'mount --bind /dev/null "$0" || exit 99
		"$@"' "$library" "$HOSTS/client" inet "${greet[@]}" \
		"send:$(request4 1)" reply:05 eof -- "$HANDLER"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"reply=5"* ]]
}

# bats test_tags=libsystemd
@test "a plain connection loads no libsystemd and opens no file of ours" {
	need_strace
	start_target eof
	run "$HOSTS/client" inet "${greet[@]}" "send:$(request4 "$port")" \
		reply:00 shut eof -- strace -D -e trace=openat,open \
		-o "$BATS_TEST_TMPDIR/trace" "$HANDLER" --log=none
	[ "$status" -eq 0 ]
	target_held
	trace_is_whole
	grep -q 'libc\.so' "$BATS_TEST_TMPDIR/trace"
	run ! grep -E 'libsystemd|nsswitch\.conf|resolv\.conf' "$BATS_TEST_TMPDIR/trace"
}

# bats test_tags=static
@test "the static build opens no file and loads no library" {
	need_strace
	start_target eof
	run "$HOSTS/client" inet "${greet[@]}" "send:$(request4 "$port")" \
		reply:00 shut eof -- strace -D -e trace=%file,mmap,%network \
		-o "$BATS_TEST_TMPDIR/trace" "$HANDLER" --log=none
	[ "$status" -eq 0 ]
	target_held
	trace_is_whole
	cat "$BATS_TEST_TMPDIR/trace"
	grep -q '^connect(' "$BATS_TEST_TMPDIR/trace"
	[ "$(grep -cE '^(open|openat|mmap)\(' "$BATS_TEST_TMPDIR/trace")" = 0 ]
	[ "$(grep -c '^exec' "$BATS_TEST_TMPDIR/trace")" = 1 ]
}

@test "descriptor 1 that is the journal by mistake" {
	exec 8> >(cat)
	run bash -c 'export JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/8)
		"$HANDLER" < <(sleep 0) >&8' 8>&8
	exec 8>&-
	complains 64 "*descriptor 1 is the journal*StandardOutput*"
}

@test "stray descriptors are closed, and not inherited by look-ups" {
	start_target eof
	play -s inet "${greet[@]}" "send:$(request_name localhost "$port")" \
		reply:00 fds shut eof
	target_held
	[[ $output == *"stray closed"* ]]
	# 0, 1, 2 and the target's.
	[[ $output == *"fds 0 1 2 3"$'\n'* ]]
}

@test "a closed descriptor 2 is not left for the target's connection" {
	start_target eof
	# shellcheck disable=SC2016
	run "$HOSTS/client" inet "${greet[@]}" "send:$(request4 "$port")" \
		reply:00 fds shut eof -- sh -c 'exec "$0" --log=none 2>&-' \
		"$HANDLER"
	echo "$output"
	[ "$status" -eq 0 ]
	target_held
	[[ $output == *"fds 0 1 2 3"$'\n'* ]]
}

@test "where close_range fails, stray descriptors are closed all the same" {
	need_strace
	start_target eof
	run "$HOSTS/client" -s inet "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 fds shut eof -- strace -D \
		-o "$BATS_TEST_TMPDIR/trace" \
		-e inject=close_range:error=ENOSYS "$HANDLER" --log=none
	echo "$output"
	[ "$status" -eq 0 ]
	target_held
	trace_is_whole
	grep -q INJECTED "$BATS_TEST_TMPDIR/trace"
	[[ $output == *"stray closed"* ]]
	[[ $output == *"fds 0 1 2 3"$'\n'* ]]
}

@test "a client that was gone before the start is handled, not a failure" {
	play inet abort
	[[ $(field end) == client-* ]]
}

@test "interrupted system calls, and such that would have to wait" {
	need_strace
	for fault in poll:error=EINTR recvfrom:error=EINTR \
		recvfrom:error=EAGAIN sendto:error=EINTR sendto:error=EAGAIN \
		write:error=EINTR; do
		start_target exchange:300K shut eof
		run "$HOSTS/client" inet "${greet[@]}" \
			"send:$(request4 "$port")" reply:00 exchange:300K \
			shut eof -- strace -o "$BATS_TEST_TMPDIR/trace" \
			-e "inject=$fault:when=1..3" "$HANDLER" --log=none
		echo "$fault: $output"
		[ "$status" -eq 0 ]
		[ "${lines[-1]}" = "exit 0" ]
		target_held
		grep -q INJECTED "$BATS_TEST_TMPDIR/trace"
	done
}
