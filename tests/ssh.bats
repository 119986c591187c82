#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The handler at the far end of ssh: three pipes, and a client that is known
# only by SSH_CONNECTION. The sshd is private: own keys, own port, own accounts.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load handler
load traffic
load sshd

setup_file()
{
	start_web
	start_sshd
}

teardown_file()
{
	stop_web
	stop_sshd
}

setup()
{
	skip_if_left_out
	copy_program
	ssh=(ssh -F "$BATS_FILE_TMPDIR/ssh_config")
}

teardown()
{
	handler_teardown
	stop_superservers
	[ -z "${LEFT_OUT:-}" ] || return 0
	# What served them ends when it has seen that they are gone.
	wait_until no_sessions
}

# --- the near end ---

# listen_with COMMAND...: on 127.0.0.1:$PORT, one for each client, who is on
# its descriptors 0 and 1. What the far end writes to its 2 is in $SERVER_LOG.
listen_with()
{
	local tries

	SERVER_LOG=$BATS_TEST_TMPDIR/log
	for ((tries = 0; tries < 5; tries++)); do
		PORT=$(free_port)
		start_listening "$PORT" env SYSTEMD_LOG_LEVEL=warning \
			systemd-socket-activate --accept --inetd \
			-l "127.0.0.1:$PORT" "$@" && return
	done
	cat "$SERVER_LOG" >&2
	return 1
}

@test "ssh HOST socks5-handler, for each client" {
	listen_with "${ssh[@]}" -T gateway "$PROGRAM" --log=stderr
	works_on_port
	recorded "pipe:$tcp_client"
}

@test "the record has the address that ssh came from" {
	listen_with "${ssh[@]}" -T gateway \
		"echo \$SSH_CONNECTION >&2; exec $PROGRAM --log=stderr"
	fetch "$BATS_TEST_TMPDIR/file" -x "socks5h://127.0.0.1:$PORT" \
		"http://localhost:$WEB_PORT/file"
	came_whole "$BATS_TEST_TMPDIR/file"
	wait_for_records 1
	read -r address number _ <"$SERVER_LOG"
	has client "pipe:$address:$number"
}

@test "behind socat" {
	need socat
	SERVER_LOG=$BATS_TEST_TMPDIR/log
	for tries in 1 2 3 4 5; do
		PORT=$(free_port)
		start_listening "$PORT" socat \
			"TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork,backlog=100" \
			"EXEC:${ssh[*]} -T gateway $PROGRAM --log=stderr" && break
		[ "$tries" -lt 5 ]
	done
	# No records: socat ends ssh, whose standard error they come by, as soon
	# as a client has left.
	works_on_port
}

@test "each side may finish before the other answers" {
	listen_with "${ssh[@]}" -T gateway "$PROGRAM" --log=stderr
	start_target expect:ping eof text:pong
	"$HOSTS/client" "tcp:127.0.0.1:$PORT" "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 text:ping shut expect:pong eof
	target_held
	wait_for_records 1
	has end client-eof
}

# The client doesn't end before the target: HTTP/1.0 is that way. It makes no
# difference where the log is, nor whether a shell waits for the program.
@test "the target ends first: the end arrives at once" {
	for command in "$PROGRAM --log=none" "$PROGRAM --log=stderr" \
		"exec $PROGRAM --log=none"; do
		listen_with "${ssh[@]}" -T gateway "$command --lifetime=0"
		start_target expect:GET text:page shut eof
		before=${EPOCHREALTIME/./}
		"$HOSTS/client" -l 10 "tcp:127.0.0.1:$PORT" "${greet[@]}" \
			"send:$(request4 "$port")" reply:00 text:GET \
			expect:page eof
		target_held
		# To log in took most of it; the default lifetime is longer.
		at_most $(((${EPOCHREALTIME/./} - before) / 1000)) 5000
	done
}

@test "an upload that goes on after the target's end is not cut" {
	listen_with "${ssh[@]}" -T gateway "$PROGRAM" --log=stderr
	start_target text:page shut hold:300 check:2M eof
	"$HOSTS/client" "tcp:127.0.0.1:$PORT" "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 expect:page pattern:2M shut eof
	target_held
	wait_for_records 1
	has end target-eof
	has bytes_up 2097152
}

@test "descriptor 2 is /dev/null while the client is relayed, but for the log" {
	for log in none syslog stderr; do
		listen_with "${ssh[@]}" -T gateway "$PROGRAM --log=$log"
		rm -f "$BATS_TEST_TMPDIR/go"
		start_target text:hello "await:$BATS_TEST_TMPDIR/go"
		open_tunnel "tcp:127.0.0.1:$PORT" expect:hello closed
		wait_until handler_runs
		two=$(inode "$handler" 2) null=$(stat -c %i /dev/null)
		[ $log = stderr ] || [ "$two" = "$null" ]
		[ $log != stderr ] || [ "$two" != "$null" ]
		touch "$BATS_TEST_TMPDIR/go"
		close_tunnel
		wait_until no_handlers
	done
}

@test "a key with a forced command is good for nothing else" {
	listen_with "${ssh[@]}" -T forced cat /etc/passwd
	downloads "socks5h://127.0.0.1:$PORT"
	upload "socks5h://127.0.0.1:$PORT"
	wait_for_records 8
	[[ $(field client) =~ ^pipe:$tcp_client$ ]]
}

master_is_up()
{
	"${ssh[@]}" -O check gateway 2>/dev/null
}

start_master()
{
	ssh+=(-S "$BATS_TEST_TMPDIR/master")
	"${ssh[@]}" -M -N -T gateway >"$BATS_TEST_TMPDIR/master.log" 2>&1 3>&- &
	superserver_pids+=($!)
	wait_until master_is_up
}

@test "many clients over one connection: ControlMaster" {
	start_master
	listen_with "${ssh[@]}" -T gateway "$PROGRAM" --log=stderr
	works_on_port
	recorded "pipe:$tcp_client"
	# All of them came from one port.
	[ "$(records | cut -d ' ' -f 2 | sort -u | wc -l)" -eq 1 ]
	"${ssh[@]}" -O exit gateway 2>&1
}

@test "when ssh is killed, the handler ends at once, and both sides notice" {
	listen_with "${ssh[@]}" -T gateway "$PROGRAM" --log=none
	start_target text:hello closed
	open_tunnel "tcp:127.0.0.1:$PORT" expect:hello closed
	wait_until handler_runs
	kill -KILL "$(pgrep -P "$server")"
	patience=5 wait_until no_handlers
	close_tunnel
}

@test "when ssh is killed amid an upload, the target sees a reset" {
	listen_with "${ssh[@]}" -T gateway "$PROGRAM" --log=none
	start_target check:1K text:go drain-reset
	"$HOSTS/client" "tcp:127.0.0.1:$PORT" "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 pattern:1K expect:go \
		"touch:$BATS_TEST_TMPDIR/gone" closed 3>&- &
	client=$!
	wait_until [ -e "$BATS_TEST_TMPDIR/gone" ]
	kill -KILL "$(pgrep -P "$server")"
	target_held
	wait "$client"
}

@test "a cut is an exit status there: ssh has no other word for it" {
	start_target text:part expect:go abort
	run "$HOSTS/client" pipes "${greet[@]}" "send:$(request4 "$port")" \
		reply:00 expect:part text:go eof -- "${ssh[@]}" -T gateway \
		"$PROGRAM --log=none"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "exit 74" ]
}

@test "when ssh is killed in the handshake, the handler ends at once" {
	listen_with "${ssh[@]}" -T gateway "$PROGRAM" --log=none
	"$HOSTS/client" "tcp:127.0.0.1:$PORT" "${greet[@]}" \
		"touch:$BATS_TEST_TMPDIR/greeted" closed 3>&- &
	client=$!
	wait_until [ -e "$BATS_TEST_TMPDIR/greeted" ]
	wait_until handler_runs
	kill -KILL "$(pgrep -P "$server")"
	patience=5 wait_until no_handlers
	wait "$client"
}

# --- the near end is ours as well: --upstream-command ---

# near STEP...: a client of a handler here, whose request goes through ssh.
near()
{
	play inet "${greet[@]}" "send:$(request4 "$port")" "$@" -- --lifetime=0 \
		--upstream-command="${ssh[*]} -T gateway ${far:-exec} $PROGRAM --log=none --lifetime=0"
}

# ends_and_resets: whoever ends first, with a half-close or with a reset; the
# client may go on when the target has ended.
ends_and_resets()
{
	start_target pattern:300K shut check:300K eof
	near reply:00 check:300K eof pattern:300K shut
	target_held
	has end target-eof
	has bytes_up 307200
	ends_and_resets_at_once
}

# The target's end is that of the session.
ends_and_resets_at_once()
{
	start_target pattern:300K shut eof
	near reply:00 check:300K eof shut
	target_held
	has end target-eof
	start_target check:300K eof pattern:300K
	near reply:00 pattern:300K shut check:300K eof
	target_held
	has end client-eof
	start_target text:part expect:go abort
	near reply:00 expect:part text:go drain-reset
	target_held
	has end upstream
	has error "upstream: the command ended with status 74"
	start_target check:1K text:go drain-reset
	near reply:00 pattern:1K expect:go abort
	target_held
	has end client-reset
}

@test "--upstream-command: ends and resets, either way" {
	ends_and_resets
	port=1
	near reply:05 eof
	has error "upstream: it answered 5"
}

# ssh holds its standard output open there, and tells the target's end by its
# own.
@test "--upstream-command, by ControlMaster" {
	start_master
	ends_and_resets_at_once
	"${ssh[@]}" -O exit gateway 2>&1
}

@test "--upstream-command: a shell that waits holds no end back" {
	far=
	start_target expect:GET text:page shut eof
	near reply:00 text:GET expect:page eof shut
	target_held
	has end target-eof
}

@test "--upstream-command: whatever is killed amid a download, it is a reset" {
	for victim in handler ssh near; do
		start_target flood
		: >"$BATS_TEST_TMPDIR/log"
		rm -f "$BATS_TEST_TMPDIR/go"
		"$HOSTS/client" inet "${greet[@]}" "send:$(request4 "$port")" \
			reply:00 recv:00 "touch:$BATS_TEST_TMPDIR/go" \
			drain-reset -- "$HANDLER" --log=none --lifetime=0 \
			--upstream-command="${ssh[*]} -T gateway exec $PROGRAM --log=none --lifetime=0" \
			3>&- &
		client=$!
		wait_until [ -e "$BATS_TEST_TMPDIR/go" ]
		wait_until handler_runs
		near=$(pgrep -P "$client")
		case $victim in
		handler) kill -KILL "$handler" ;;
		ssh) kill -KILL "$(pgrep -P "$near")" ;;
		near) kill -KILL "$near" ;;
		esac
		wait "$client"
		target_held
		wait_until no_handlers
	done
}

@test "--upstream-command: no way there is an end with ssh's status" {
	port=1
	ssh+=(-o IdentityFile=/nonexistent -o IdentitiesOnly=yes)
	play inet "${greet[@]}" "send:$(request4 1)" reply:01 eof -- \
		--upstream-command="${ssh[*]} -T nowhere $PROGRAM"
	has end upstream
	has error "upstream: the command ended with status 255"
}

@test "a terminal (ssh -tt) is a mistake: one sentence, and exit 64" {
	run "${ssh[@]}" -tt gateway "$PROGRAM" </dev/null
	output=${output//$'\r'/}
	echo "$output"
	# ssh's own failure, where sshd may make no terminal for this account.
	[ "$status" -ne 255 ] || unavailable "no terminal to be had by ssh"
	[ "$status" -eq 64 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "socks5-handler: descriptor 0 is a terminal: "*"leave out -t"* ]]
}
