#!/usr/bin/env bats
# Under real super-servers, with a real client and a real web server.
#
# tests/superservers.bash has what each of them is told.

load handler

setup_file()
{
	start_web
}

teardown_file()
{
	stop_web
}

teardown()
{
	handler_teardown
	stop_superservers
}

# downloads PROXY: one, then several at once, by name and by address.
downloads()
{
	local i pid
	local -a pids=()

	fetch "$BATS_TEST_TMPDIR/0" -x "$1" "http://localhost:$WEB_PORT/file"
	for i in 1 2 3 4 5; do
		fetch "$BATS_TEST_TMPDIR/$i" -x "$1" \
			"http://localhost:$WEB_PORT/file" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	fetch "$BATS_TEST_TMPDIR/6" -x "${1/socks5h:/socks5:}" \
		"http://127.0.0.1:$WEB_PORT/file"
	came_whole "$BATS_TEST_TMPDIR"/[0-6]
}

# upload PROXY: the web server answers with the checksum of what came.
upload()
{
	fetch "$BATS_TEST_TMPDIR/sum" -x "$1" -H Expect: \
		--data-binary "@$WEB/file" "http://localhost:$WEB_PORT/cgi-bin/sum"
	[ "$(cat "$BATS_TEST_TMPDIR/sum")" = "$(cksum <"$WEB/file")" ]
}

# open_tunnel WHERE: one on which the target's greeting has come. It stays open
# until close_tunnel; its handler is $handler.
open_tunnel()
{
	start_target text:hello expect:bye eof
	"$HOSTS/client" "$1" "${greet[@]}" "send:$(request4 "$port")" \
		reply:00 expect:hello "touch:$BATS_TEST_TMPDIR/open" \
		"await:$BATS_TEST_TMPDIR/close" text:bye shut closed 3>&- &
	client=$!
	wait_until [ -e "$BATS_TEST_TMPDIR/open" ]
	wait_until handler_runs
}

close_tunnel()
{
	touch "$BATS_TEST_TMPDIR/close"
	wait "$client"
	target_held
}

# What a handler in the middle of a relay has open: 0, 1 and 2, of which 2 is
# not the client, and the target. What it inherited from the super-server, and
# that from us, is closed.
has_only_its_own()
{
	local fds=/proc/$handler/fd

	ls -l "$fds"
	[ "$(ls -m "$fds")" = "0, 1, 2, 3" ]
	[ "$(readlink "$fds/2")" != "$(readlink "$fds/0")" ]
	[ "$(readlink "$fds/2")" != "$(readlink "$fds/1")" ]
}

# works WHERE PROXY: whatever a client may do. WHERE is for the client that
# speaks byte by byte.
works()
{
	downloads "$2"
	upload "$2"
	open_tunnel "$1"
	has_only_its_own
	close_tunnel
	wait_until no_handlers
}

works_on_port()
{
	works "tcp:127.0.0.1:$PORT" "socks5h://127.0.0.1:$PORT"
}

# recorded CLIENT [END]: the nine connections of works(). Both are extended
# regular expressions.
recorded()
{
	local size=3145728 file=$BATS_TEST_TMPDIR/records
	local end=${2:-(client|target)-eof}

	wait_for_records 9
	records >"$file"
	[ "$(grep -cE "^socks5-handler: client=$1 " "$file")" -eq 9 ]
	[ "$(grep -c " command=CONNECT target=localhost:$WEB_PORT \
address=127.0.0.1:$WEB_PORT reply=0 " "$file")" -eq 7 ]
	[ "$(grep -cE " end=($end)\$" "$file")" -eq 9 ]

	# In the order of works(); those at once are all alike.
	record=$(sed -n 1p "$file")
	at_least "$(field bytes_down)" $size
	record=$(sed -n 8p "$file")
	at_least "$(field bytes_up)" $size
	record=$(sed -n 9p "$file")
	has target "127.0.0.1:$port"
	has bytes_up 3
	has bytes_down 5
}

tcp_client='127\.0\.0\.1:[0-9]+'

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
	recorded "unix:uid=$(id -u),pid=[0-9]+" '(client|target)-eof|terminated'
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
	recorded "pipe:$tcp_client"
}

# --- the super-server's end ---

@test "a tunnel goes on when tcpserver has ended" {
	start_superserver tcpserver --log=stderr
	open_tunnel "tcp:127.0.0.1:$PORT"
	end_process "$server"
	run ! "$HOSTS/client" "tcp:127.0.0.1:$PORT" eof
	close_tunnel
	wait_for_records 1
	has end client-eof
}

@test "systemd-socket-activate ends its handlers with it: reset, and a record" {
	start_superserver systemd-socket-activate-inetd --log=stderr
	start_target drain-reset
	"$HOSTS/client" "tcp:127.0.0.1:$PORT" "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 \
		"touch:$BATS_TEST_TMPDIR/open" reset 3>&- &
	client=$!
	wait_until [ -e "$BATS_TEST_TMPDIR/open" ]
	end_process "$server"
	wait "$client"
	target_held
	wait_for_records 1
	has end terminated
}
