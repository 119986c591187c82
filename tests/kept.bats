#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A record is kept, whatever hinders it; and a log that takes nothing holds up
# nobody. tests/record.bats has what is in it.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load listening

teardown()
{
	[ -z "${reader:-}" ] || kill -KILL "$reader" 2>/dev/null || :
	[ ! -e "${messages:-}" ] || cat "$messages"
	listening_teardown
}

# start_reader PATH: a socket for datagrams there, whose reader sleeps; once it
# is woken, by kill -CONT $reader, they come to $messages. Its queue is full.
start_reader()
{
	need socat perl
	messages=$BATS_TEST_TMPDIR/messages
	socat -u "UNIX-RECV:$1" "CREATE:$messages" 3>&- &
	reader=$!
	wait_until [ -S "$1" ]
	wait_until [ -e "$messages" ]
	kill -STOP "$reader"
	# shellcheck disable=SC2016 # for perl
	perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die $!;
		connect($s, sockaddr_un(shift)) or die $!;
		1 while defined send($s, "full", MSG_DONTWAIT)' "$1"
}

# In mounts of its own, where /dev/log is a socket that nobody reads yet.
deaf_syslog()
{
	need_namespaces
	dir=$BATS_TEST_TMPDIR/dev
	mkdir "$dir"
	start_reader "$dir/log"
	# shellcheck disable=SC2016 # for the inner shell
	within=(unshare -rm sh -c 'mount --bind "$0" /dev && exec "$@"' "$dir")
}

# The same for journald's socket.
deaf_journal()
{
	need_namespaces
	dir=$BATS_TEST_TMPDIR/run
	mkdir -p "$dir/systemd/journal"
	start_reader "$dir/systemd/journal/socket"
	# shellcheck disable=SC2016 # for the inner shell
	within=(unshare -rm sh -c 'mount --bind "$0" /run && exec "$@"' "$dir")
}

got_message()
{
	grep -aqE -- "$1" "$messages"
}

# one_client [CLIENTOPTION...] -- HANDLEROPTION...: a refused request, in the
# background as $client.
one_client()
{
	local -a options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	copy_program
	"$HOSTS/client" "${options[@]}" inet "${greet[@]}" \
		"send:$(request4 1)" reply:05 eof -- "${within[@]}" \
		"$PROGRAM" "${@:2}" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
}

# It was served, and the handler ended with this status.
ended_with()
{
	wait "$client"
	cat "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err"
	grep -qx "exit $1" "$BATS_TEST_TMPDIR/out"
}

# full_pipe: standard error is a pipe that is full; empty_pipe reads it, and all
# that comes then, to $said.
full_pipe()
{
	said=$BATS_TEST_TMPDIR/piped
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec 8<>"$BATS_TEST_TMPDIR/pipe"
	timeout 1 dd if=/dev/zero bs=4096 count=16 >&8 2>/dev/null
	# shellcheck disable=SC2016 # for the inner shell
	within=(sh -c 'exec "$@" 2>&8 8>&-' sh)
}

empty_pipe()
{
	cat <&8 >"$said" 8>&- &
	superserver_pids+=($!)
}

piped()
{
	grep -aqE -- "$1" "$said"
}

# The handler has let its client go, and is there still.
leaves_record()
{
	handler_runs && [ ! -e "/proc/$handler/fdinfo/1" ]
}

# --- one client ------------------------------------------------------------

@test "SIGTERM while the record is written: it is written all the same" {
	deaf_syslog
	one_client -2 -- --log=syslog
	wait_until leaves_record
	kill "$handler"
	nap 0.2
	kill -CONT "$reader"
	ended_with 0
	wait_until got_message 'client=.* reply=5 .* end=refused'
}

@test "SIGTERM while the record is written to a pipe" {
	full_pipe
	one_client -- --log=stderr
	wait_until leaves_record
	kill "$handler"
	nap 0.2
	empty_pipe
	ended_with 0
	wait_until piped 'client=.* reply=5 .* end=refused'
}

@test "a journal that takes nothing: the next target has the record" {
	deaf_journal
	one_client -- --log=journal
	ended_with 0
	grep -q 'client=.* reply=5 .* end=refused' "$BATS_TEST_TMPDIR/err"
}

@test "a syslog that takes nothing: the next target has the record" {
	deaf_syslog
	one_client -- --log=syslog
	ended_with 0
	grep -q 'client=.* reply=5 .* end=refused' "$BATS_TEST_TMPDIR/err"
}

@test "no target takes it: exit 71" {
	# shellcheck disable=SC2016 # for the inner shell
	within=(sh -c 'exec "$@" 2>/dev/full' sh)
	one_client -- --log=stderr
	ended_with 71
	deaf_syslog
	one_client -2 -- --log=syslog
	ended_with 71
}

# --- the listening service -------------------------------------------------

@test "a log that takes nothing: the service serves on, and counts" {
	deaf_syslog
	listen_options=(-i -2)
	log=--log=syslog
	start_service --max-clients=1
	enter a "$place" close
	for i in {1..3}; do
		turned_away "$place"
	done
	# It waits to leave its record, and counts no more.
	leave a
	SECONDS=0
	nap 0.3
	enter b "$place" close
	at_most "$SECONDS" 1
	leave b
	wait_until no_handlers
	kill -CONT "$reader"
	wait_until got_message 'before this, sentences that no log took: [0-9]+'
	# In one sentence, or in one each.
	all_counted()
	{
		grep -aoE 'records that no log took: [0-9]+' "$messages" |
			awk '{ n += $NF } END { exit n != 2 }'
	}
	wait_until all_counted
	kill "$service"
	service_left
}

@test "records that can't be left: clients are served, and the rest is bounded" {
	full_pipe
	log=--log=stderr
	start_service --max-clients=8 --spare=12
	wait_until there_are 12 spares
	for wave in 1 2 3 4 5; do
		for i in {1..8}; do
			"$HOSTS/client" -l 60 "$place" "${greet[@]}" \
				"touch:$BATS_TEST_TMPDIR/$wave.$i" \
				"await:$BATS_TEST_TMPDIR/go.$wave" close 3>&- &
			visitors[$wave.$i]=$!
		done
		for i in {1..8}; do
			wait_until [ -e "$BATS_TEST_TMPDIR/$wave.$i" ]
		done
		touch "$BATS_TEST_TMPDIR/go.$wave"
		nap 0.3
	done
	# Twice as many as there may be clients, and 16.
	at_most "$(handlers | wc -l)" 32
	empty_pipe
	wait_until no_handlers
	wait_until piped 'records that no log took: [0-9]'
}

# `make soak` is the long form.
@test "many clients, and processes that are killed: no cut looks whole, each has a record" {
	need python3
	run "$TOP/tests/soak" "$HANDLER" 480 12
	echo "$output"
	[ "$status" -eq 0 ]
}
