#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Under real super-servers, with a real client and a real web server.
#
# tests/superservers.bash has what each of them is told.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load handler
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
	handler_teardown
	stop_superservers
}

# --- systemd-socket-activate ---

@test "systemd-socket-activate --inetd" {
	start_superserver systemd-socket-activate-inetd --log=stderr
	works_on_port
	recorded "$tcp_client"
}

@test "systemd-socket-activate: LISTEN_FDS" {
	start_superserver systemd-socket-activate --log=stderr
	works_on_port
	recorded "$tcp_client"
}

@test "systemd-socket-activate on ::1" {
	start_superserver --ipv6 systemd-socket-activate-inetd --log=stderr
	works "tcp:[::1]:$PORT" "socks5h://[::1]:$PORT"
	recorded '\[::1\]:[0-9]+'
}

@test "systemd-socket-activate on ::1: LISTEN_FDS" {
	start_superserver --ipv6 systemd-socket-activate --log=stderr
	works "tcp:[::1]:$PORT" "socks5h://[::1]:$PORT"
	recorded '\[::1\]:[0-9]+'
}

@test "systemd-socket-activate on a path" {
	start_superserver --unix systemd-socket-activate-inetd --log=stderr
	works "unix:$SOCKET" "socks5h://localhost$SOCKET"
	recorded "unix:uid=$(id -u),pid=[0-9]+"
}

@test "systemd-socket-activate on a path: LISTEN_FDS" {
	start_superserver --unix systemd-socket-activate --log=stderr
	works "unix:$SOCKET" "socks5h://localhost$SOCKET"
	recorded "unix:uid=$(id -u),pid=[0-9]+"
}

@test "systemd-socket-activate on an abstract name" {
	need socat
	start_superserver --abstract systemd-socket-activate-inetd --log=stderr
	# No client here speaks to such a socket by itself.
	(
		SERVER_LOG=$BATS_TEST_TMPDIR/socat.log
		start_listening "$PORT" socat \
			"TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork,backlog=100" \
			"ABSTRACT-CONNECT:${SOCKET#@}"
		echo "$server" >"$BATS_TEST_TMPDIR/socat.pid"
	)
	superserver_pids+=("$(cat "$BATS_TEST_TMPDIR/socat.pid")")
	works_on_port
	recorded "unix:uid=$(id -u),pid=[0-9]+"
}

# --- inetds: descriptor 2 is the client, so that nothing may be written to it

@test "xinetd" {
	start_superserver xinetd --log=none
	works_on_port
}

@test "openbsd-inetd" {
	start_superserver openbsd-inetd --log=none
	works_on_port
}

@test "inetutils-inetd" {
	start_superserver inetutils-inetd --log=none
	works_on_port
}

@test "--log=stderr under an inetd is a mistake, and the client sees no byte of it" {
	local name

	for name in xinetd openbsd-inetd inetutils-inetd; do
		start_superserver "$name" --log=stderr
		"$HOSTS/client" "tcp:127.0.0.1:$PORT" closed
		wait_until no_handlers
	done
}

# --- tcpserver and its like ---

@test "tcpserver" {
	start_superserver tcpserver --log=stderr
	works_on_port
	recorded "$tcp_client"
}

@test "tcpsvd" {
	start_superserver tcpsvd --log=stderr
	works_on_port
	recorded "$tcp_client"
}

# --- pairs of sockets, pipes ---

@test "socat, a pair of Unix sockets" {
	start_superserver socat-socketpair --log=stderr
	works_on_port
	# When the client has left, socat sends its program a SIGTERM.
	recorded "socketpair:$tcp_client" '(client|target)-eof|terminated'
}

@test "socat, the socket itself" {
	start_superserver socat-nofork --log=stderr
	works_on_port
	recorded "$tcp_client"
}

# This socat keeps a copy of the end that the handler writes to, and so never
# sees it closed: a client that waits for the end of the answer waits in vain.
@test "socat, pipes" {
	start_superserver socat-pipes --log=stderr
	works_on_port
	recorded "pipe:$tcp_client"
}

@test "ncat: pipes, and the client's socket among the stray descriptors" {
	start_superserver ncat --log=stderr
	works_on_port
	# It closes both pipes when the client has sent its last byte.
	recorded "pipe:$tcp_client" '(client|target)-eof|client-reset'
}

# --- the files of xinetd/, but for the port, the program and the account ---

# as_shipped FILE [SEDCOMMAND...]
as_shipped()
{
	sed "s|/usr/local/bin/socks5-handler|$PROGRAM|; s|\<1080\>|$PORT|
		s|^\(\tuser\t.*= \)socks5-handler\$|\1$(id -un)|
		s|\(wait[.0-9]*\t\)socks5-handler\>|\1$(id -un)|
		s|setpriv .* |env |; s|-u socks5-handler ||
		${2:-}" "$TOP/xinetd/$1"
}

# start_shipped FILE SEDCOMMAND COMMAND...: listens by COMMAND, the last word of
# which is the name of a file like FILE.
start_shipped()
{
	local conf=$BATS_TEST_TMPDIR/conf tries

	copy_program
	SERVER_LOG=$BATS_TEST_TMPDIR/log
	for ((tries = 0; tries < 5; tries++)); do
		PORT=$(free_port)
		as_shipped "$1" "$2" >"$conf"
		start_listening "$PORT" "${@:3}" "$conf" && return
	done
	cat "$SERVER_LOG"
	return 1
}

# A journal that only what in_its_sight starts can see. What it gets is in
# $journal: fields, one a line.
start_journal()
{
	local dir=$BATS_TEST_TMPDIR/journal.d

	need_root "mount a journal of its own"
	need socat unshare
	mkdir "$dir"
	journal=$BATS_TEST_TMPDIR/journal
	socat -u "UNIX-RECV:$dir/socket" "CREATE:$journal" 3>&- &
	superserver_pids+=($!)
	wait_until [ -S "$dir/socket" ]
	# shellcheck disable=SC2016 # for the inner shell
	in_its_sight=(unshare -m sh -c 'mount -t tmpfs tmpfs /run &&
		mkdir -p /run/systemd/journal &&
		mount --bind "$0" /run/systemd/journal && exec "$@"' "$dir")
}

in_journal()
{
	grep -qxE "$1" "$journal"
}

# What is shipped for the inetds writes its record to the journal.
works_and_is_in_journal()
{
	fetch "$BATS_TEST_TMPDIR/0" -x "socks5h://127.0.0.1:$PORT" \
		"http://localhost:$WEB_PORT/file"
	came_whole "$BATS_TEST_TMPDIR/0"
	wait_until no_handlers
	wait_until in_journal 'SOCKS5_END=(client|target)-eof'
	in_journal "SOCKS5_CLIENT=$tcp_client"
	in_journal "SOCKS5_TARGET=localhost:$WEB_PORT"
	in_journal SOCKS5_REPLY=0
	in_journal SYSLOG_IDENTIFIER=socks5-handler
}

# bats test_tags=libsystemd
@test "the xinetd service, as it is shipped" {
	xinetd=$SUPERSERVERS/xinetd/usr/sbin/xinetd
	need "$xinetd"
	start_journal
	start_shipped socks5-handler 's|\(disable.*\) yes|\1 no|' \
		"${in_its_sight[@]}" "$xinetd" -dontfork \
		-pidfile "$BATS_TEST_TMPDIR/pid" -f
	works_and_is_in_journal
}

# bats test_tags=libsystemd
@test "the line for inetd.conf, as it is shipped: openbsd-inetd" {
	inetd=$SUPERSERVERS/openbsd-inetd/usr/sbin/inetd
	need "$inetd"
	start_journal
	start_shipped inetd.conf '' "${in_its_sight[@]}" "$inetd" -i
	works_and_is_in_journal
}

# bats test_tags=libsystemd
@test "the line for inetd.conf, as it is shipped: inetutils-inetd" {
	inetd=$SUPERSERVERS/inetutils-inetd/usr/sbin/inetutils-inetd
	need "$inetd"
	start_journal
	start_shipped inetd.conf '' "${in_its_sight[@]}" "$inetd" -d \
		"--pidfile=$BATS_TEST_TMPDIR/pid"
	works_and_is_in_journal
}

@test "the run script, as it is shipped: tcpserver" {
	PATH=$SUPERSERVERS/ucspi-tcp/usr/bin:$PATH
	need tcpserver
	start_shipped tcpserver '' sh
	works_on_port
	recorded "$tcp_client"
}

@test "the run script, as it is shipped: tcpsvd" {
	PATH=$SUPERSERVERS/ipsvd/usr/bin:$PATH
	need tcpsvd
	# The command that is commented out, instead of the other one.
	start_shipped tcpserver '/^exec env/,/^$/d; s/^# exec/exec/
		s/^#\t/\t/' sh
	works_on_port
	recorded "$tcp_client"
}

# --- the super-server's end ---

@test "a tunnel goes on when tcpserver has ended" {
	start_superserver tcpserver --log=stderr
	start_target text:hello expect:bye eof
	open_tunnel "tcp:127.0.0.1:$PORT" expect:hello text:bye shut closed
	end_process "$server"
	run ! "$HOSTS/client" "tcp:127.0.0.1:$PORT" eof
	close_tunnel
	wait_for_records 1
	has end client-eof
}

@test "systemd-socket-activate ends its handlers with it: reset, and a record" {
	start_superserver systemd-socket-activate-inetd --log=stderr
	start_target drain-reset
	open_tunnel "tcp:127.0.0.1:$PORT" reset
	end_process "$server"
	close_tunnel
	wait_for_records 1
	has end terminated
}
