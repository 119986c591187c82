#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The listening service: started by real super-servers, which wait, and how it
# lives and ends. What may be told it, and what it tells, is in manage.bats;
# what it does when there is too much or too little of something in limits.bats.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load listening
load superservers
load traffic

setup_file()
{
	start_web
}

teardown_file()
{
	stop_web
}

setup()
{
	skip_if_left_out
}

teardown()
{
	listening_teardown
}

# --- super-servers that wait -----------------------------------------------

# works_again: it has left, and the super-server starts it for the next client.
works_again()
{
	wait_until no_programs
	fetch "$BATS_TEST_TMPDIR/again" -x "socks5h://127.0.0.1:$PORT" \
		"http://localhost:$WEB_PORT/file"
	came_whole "$BATS_TEST_TMPDIR/again"
}

@test "xinetd, wait = yes; again after --idle-exit" {
	start_superserver xinetd-wait --log=none --idle-exit=0.2
	works_on_port
	works_again
}

@test "openbsd-inetd, wait; again after --idle-exit" {
	start_superserver openbsd-inetd-wait --log=none --idle-exit=0.2
	works_on_port
	works_again
}

@test "inetutils-inetd, wait; again after --idle-exit" {
	start_superserver inetutils-inetd-wait --log=none --idle-exit=0.2
	works_on_port
	works_again
}

@test "under an inetd, --log=stderr is a mistake" {
	# Descriptor 2 is the listening socket there.
	run timeout 10 "$HOSTS/listen" -i -2 "$BATS_TEST_TMPDIR/places" 4 -- \
		"$HANDLER" --log=stderr
	[ "$status" -eq 64 ]
	[ -z "$output" ]
}

# Descriptors 1 and 2 of a service are no client's.
@test "--log=stderr, where 1 and 2 are one file, one pipe, or /dev/null" {
	listen_options=(-i)
	for kind in file pipe null; do
		to=$BATS_TEST_TMPDIR/$kind
		case $kind in
		file) : >"$to" ;;
		pipe) mkfifo "$to" && exec 8<>"$to" ;;
		null) to=/dev/null ;;
		esac
		# shellcheck disable=SC2016 # for the inner shell
		within=(sh -c 'exec "$@" >"$0" 2>&1 8>&-' "$to")
		start_service
		"$HOSTS/client" "$place" "${greet[@]}" close
		wait_until no_handlers
		case $kind in
		file) wait_until grep -q '^socks5-handler: client=' "$to" ;;
		pipe) read -rt 5 line <&8 && [[ $line == *client=* ]] ;;
		esac
		stop_superservers
	done
	# Sockets that LISTEN_FDS passes; on 0 is a pipe.
	listen_options=()
	# shellcheck disable=SC2016 # for the inner shell
	within=(sh -c 'exec "$@" <"$0" >"$0" 2>&1 8>&-' "$BATS_TEST_TMPDIR/pipe")
	start_service
	"$HOSTS/client" "$place" "${greet[@]}" close
	read -rt 5 line <&8
	[[ $line == *client=* ]]
}

@test "systemd-socket-activate: LISTEN_FDS, and descriptor 0" {
	local name

	for name in systemd-socket-activate systemd-socket-activate-inetd; do
		start_superserver $name-wait --log=stderr
		works_on_port
		recorded "$tcp_client"
		stop_superservers
	done
}

@test "systemd-socket-activate: three sockets at once" {
	local path=$BATS_TEST_TMPDIR/socks.sock six

	copy_program
	SERVER_LOG=$BATS_TEST_TMPDIR/log
	PORT=$(free_port)
	six=$(free_port)
	start_listening "$path" env SYSTEMD_LOG_LEVEL=warning \
		systemd-socket-activate -l "127.0.0.1:$PORT" -l "[::1]:$six" \
		-l "$path" "$PROGRAM" --log=stderr
	fetch "$BATS_TEST_TMPDIR/4" -x "socks5h://127.0.0.1:$PORT" \
		"http://localhost:$WEB_PORT/file"
	fetch "$BATS_TEST_TMPDIR/6" -x "socks5h://[::1]:$six" \
		"http://localhost:$WEB_PORT/file"
	fetch "$BATS_TEST_TMPDIR/u" -x "socks5h://localhost$path" \
		"http://localhost:$WEB_PORT/file"
	came_whole "$BATS_TEST_TMPDIR"/[46u]
	wait_for_records 3
	records
	records | grep -q 'client=127\.0\.0\.1:'
	records | grep -q 'client=\[::1\]:'
	records | grep -q "client=unix:uid=$(id -u),pid="
}

# start_shipped FILE SEDCOMMAND COMMAND...: as the file in xinetd/ has it, but for
# the port, the program, the account, and a record for this machine's journal.
start_shipped()
{
	local conf=$BATS_TEST_TMPDIR/conf tries

	need "$3"
	copy_program
	SERVER_LOG=$BATS_TEST_TMPDIR/log
	for ((tries = 0; tries < 5; tries++)); do
		PORT=$(free_port)
		sed "s|/usr/local/bin/socks5-handler|$PROGRAM|; s|\<1080\>|$PORT|
			/^[[:space:]]*user/s|socks5-handler|$(id -un)|
			s|\(wait[^[:space:]]*[[:space:]]\)socks5-handler|\1$(id -un)|
			s|--idle-exit|--log=none &|; $2" \
			"$TOP/xinetd/$1" >"$conf"
		start_listening "$PORT" "${@:3}" "$conf" && return
	done
	cat "$SERVER_LOG"
	return 1
}

@test "what is shipped for wait: xinetd, and the line for both inetds" {
	start_shipped socks5-handler-wait 's|\(disable.*\) yes|\1 no|' \
		"$SUPERSERVERS/xinetd/usr/sbin/xinetd" -dontfork \
		-pidfile "$BATS_TEST_TMPDIR/pid" -f
	works_on_port
	stop_superservers
	# The line that is commented out, instead of the other one.
	line='/^127/d; s|^#127|127|'
	start_shipped inetd.conf "$line" \
		"$SUPERSERVERS/openbsd-inetd/usr/sbin/inetd" -i
	works_on_port
	stop_superservers
	start_shipped inetd.conf "$line" \
		"$SUPERSERVERS/inetutils-inetd/usr/sbin/inetutils-inetd" -d \
		"--pidfile=$BATS_TEST_TMPDIR/pid"
	works_on_port
	[ -n "$(programs_that service)" ]
}

# --- processes -------------------------------------------------------------

# numbers PID...: of the sockets on their 0 and 1, each once for each process.
numbers()
{
	local pid

	for pid; do
		{
			inode "$pid" 0
			inode "$pid" 1
		} | sort -u
	done
}

@test "a process for each client, with that client's connection alone" {
	listen_on=(4 6 "$BATS_TEST_TMPDIR/s")
	start_service
	enter a "${places[0]}" close
	enter b "${places[1]}" close
	enter c "${places[2]}" close
	there_are 3 handlers
	wait_until there_are 8 spares
	# Nobody has more than 0, 1 and 2, and no socket twice among them: not
	# the service's, not another client's, not a spare's.
	mapfile -t others < <(handlers && spares)
	for pid in "${others[@]}"; do
		[ "$(ls -m "/proc/$pid/fdinfo")" = "0, 1, 2" ]
	done
	numbers "${others[@]}" >"$BATS_TEST_TMPDIR/numbers"
	there_are 11 cat "$BATS_TEST_TMPDIR/numbers"
	# Each of these has one number; all but sockets share theirs.
	for fd in "/proc/$service/fdinfo"/*; do
		[ "${fd##*/}" -le 2 ] || inode "$service" "${fd##*/}"
	done | sort -u >>"$BATS_TEST_TMPDIR/numbers"
	[ -z "$(sort "$BATS_TEST_TMPDIR/numbers" | uniq -d)" ]
	leave a
	leave b
	leave c
	wait_for_records 3
}

@test "spares: 8, --spare=N, refilled, and each serves one client" {
	start_service
	wait_until there_are 8 spares
	before=$(spares)
	enter a "$place" close
	# One of them, and not a new process.
	grep -qxF "$(handlers)" <<<"$before"
	wait_until there_are 8 spares
	leave a
	wait_until no_handlers
	there_are 8 spares
	stop_superservers
	start_service --spare=2
	enter a "$place" close
	enter b "$place" close
	enter c "$place" close
	there_are 3 handlers
	wait_until there_are 2 spares
	calm 6
	there_are 2 spares
}

@test "--spare=0: forked when the client comes, and nobody waits" {
	start_service --spare=0
	there_are 1 programs
	enter a "$place" close
	enter b "$place" close
	there_are 2 handlers
	there_are 3 programs
	leave a
	wait_until there_are 2 programs
}

@test "a burst of clients that is larger than the spares" {
	start_service --spare=2
	for i in {1..20}; do
		"$HOSTS/client" -l 60 "$place" "${greet[@]}" \
			"send:$(request4 1)" reply:05 eof 3>&- &
		# shellcheck disable=SC2004 # these are names
		visitors[$i]=$!
	done
	for i in {1..20}; do
		leave "$i"
	done
	wait_for_records 20
}

@test "a spare that was killed is passed over" {
	start_service --spare=2
	wait_until there_are 2 spares
	mapfile -t killed < <(spares)
	kill -KILL "${killed[@]}"
	for pid in "${killed[@]}"; do
		wait_until is_dead "$pid"
	done
	enter a "$place" close
	leave a
	wait_for_records 1
	# There was no client of it.
	said 0 "and its client"
}

@test "no zombie is left, neither of clients nor of spares" {
	start_service
	for i in {1..5}; do
		enter "$i" "$place" close
	done
	for i in {1..5}; do
		leave "$i"
	done
	wait_until no_handlers
	patience=2 wait_until there_are 0 zombies
	wait_until there_are 8 spares
	before=$(spares)
	kill -HUP "$service"
	replaced()
	{
		there_are 8 spares && ! spares | grep -qxF "$before"
	}
	wait_until replaced
	patience=3 wait_until there_are 0 zombies
}

@test "a service without clients sleeps" {
	start_service
	wait_until there_are 8 spares
	sleep 1
	calm 0
}

@test "a client that was gone before it was accepted" {
	start_service
	kill -STOP "$service"
	"$HOSTS/client" "$place" send:0501 abort
	"$HOSTS/client" "$place" send:050100 close
	kill -CONT "$service"
	enter a "$place" close
	leave a
	wait_for_records 3
}

@test "a client's process that crashes costs one client, and is logged" {
	start_service
	enter a "$place" closed
	crashing=$(handlers)
	enter b "$place" "send:$(request4 1)" reply:05 eof
	kill -SEGV "$crashing"
	leave a
	# Under a sanitizer it aborts then.
	patience=3 wait_until said 1 \
		"process $crashing, and its client, ended by signal (11|6)\$"
	leave b
	enter c "$place" close
	leave c
	wait_for_records 2
	wait_until there_are 0 zombies
}

# --- its end ---------------------------------------------------------------

@test "SIGTERM: it leaves at once, and its clients go on to their end" {
	for signal in TERM INT; do
		start_service --lifetime=0
		start_target expect:bye text:thanks eof
		enter a "$place" "send:$(request4 "$port")" reply:00 text:bye \
			expect:thanks shut closed
		kill -$signal "$service"
		patience=2 wait_until is_gone "$service"
		wait "$service"
		run "$HOSTS/client" "$place" eof
		[[ $output == *"Connection refused"* ]]
		wait_until there_are 0 spares
		there_are 1 handlers
		leave a
		target_held
		wait_for_records 1
		has end client-eof
		stop_superservers
	done
}

@test "--idle-exit: after so long without a client, with 0" {
	start_service --idle-exit=1.5
	enter a "$place" close
	sleep 2
	run ! is_gone "$service"
	leave a
	left=$(date +%s%N)
	service_left
	at_least $((($(date +%s%N) - left) / 1000000)) 1400
	wait_until no_programs
}

@test "--idle-exit: also when nobody ever came; never without" {
	start_service --idle-exit=0.3
	service_left
	start_service
	sleep 0.6
	run ! is_gone "$service"
}
