#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The system calls of a plain CONNECT are those of bench/syscalls.md: one that
# is added, or left out, has to be explained there.

load handler

setup()
{
	[ "$BUILD" = release ] ||
		skip "bench/syscalls.md is about the release build: libc and sanitizers make calls of their own"
	need_strace
	table=$TOP/bench/syscalls.md
}

teardown()
{
	handler_teardown
}

# table_of HEADING: the calls in the first column of the table below it.
table_of()
{
	awk -v heading="## $1" '
		/^## / { inside = $0 == heading }
		inside && sub(/^\| `/, "") { sub(/`.*/, ""); print }' "$table"
}

# calls_of_trace: from the first of main() on, each as NAME(ARGUMENT) with the
# first argument alone, or as NAME where that is a list. fstat has two names.
calls_of_trace()
{
	sed -nE 's/^[0-9]+ +//
		s/^newfstatat\(/fstat(/
		/^getsockopt\(0,/,$ {
			/^poll\(/ { s/\(.*//p; d }
			s/^([a-z0-9_]+\([^,)]*)[,)].*/\1)/p
		}' "$BATS_TEST_TMPDIR/trace"
}

# connect_with OPTION: a request there, an answer back, and the end.
connect_with()
{
	start_target expect:ping text:pong eof
	run --separate-stderr "$HOSTS/client" inet "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 text:ping expect:pong \
		shut eof -- strace -D -f -o "$BATS_TEST_TMPDIR/trace" \
		"$HANDLER" "$1"
	echo "$output$stderr"
	[ "$status" -eq 0 ]
	target_held
	wait_until grep -q '+++ exited with 0 +++' "$BATS_TEST_TMPDIR/trace"
	calls_of_trace >"$BATS_TEST_TMPDIR/calls"
}

# Shows what is new, with a +, and what is gone.
are_the_calls()
{
	diff -u --label bench/syscalls.md --label "what it did" \
		"$BATS_TEST_TMPDIR/expected" "$BATS_TEST_TMPDIR/calls"
}

@test "a CONNECT to an address, without a record" {
	connect_with --log=none
	table_of "From main() to the end" >"$BATS_TEST_TMPDIR/expected"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/expected")" -gt 20 ]
	are_the_calls
}

@test "with a record on standard error" {
	connect_with --log=stderr
	{
		table_of "From main() to the end" | sed '$d'
		table_of "The record"
		echo "exit_group(0)"
	} >"$BATS_TEST_TMPDIR/expected"
	are_the_calls
}

@test "no file is opened but libc, and no process made" {
	connect_with --log=stderr
	[ "$(sed -nE 's/.*open(at)?\((AT_FDCWD, )?"([^"]*)".*/\3/p' \
		"$BATS_TEST_TMPDIR/trace" | sed 's|.*/||' | sort | xargs)" = \
		"ld.so.cache libc.so.6" ]
	[ "$(cut -d ' ' -f 1 "$BATS_TEST_TMPDIR/trace" | sort -u |
		wc -l)" -eq 1 ]
}
