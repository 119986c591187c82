#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# SOCKS4 and SOCKS4a on the wire, told apart from SOCKS5 by the first byte.
#
# A file is looked at while it grows:
# shellcheck disable=SC2094

load handler
load superservers
load traffic

teardown()
{
	handler_teardown
	if [ -n "${PROGRAM:-}" ]; then
		stop_superservers
		stop_web
	fi
}

# connect4 PORT [USER], connect4a NAME PORT [USER]: CONNECT to 127.0.0.1, or by
# name.
connect4()
{
	echo "0401$(hex16 "$1")7f000001$(hex_of "${2:-}")00"
}

connect4a()
{
	echo "0401$(hex16 "$2")000000ff$(hex_of "${3:-}")00$(hex_of "$1")00"
}

granted_nothing=005a000000000000
rejected=005b000000000000

# rejects HEX: this request gets 5B, in a complete reply, and the end.
rejects()
{
	play inet "send:$1" recv:$rejected eof
}

# echo_through REQUEST: ping there, pong back, and the end; the reply, as hex,
# is in $granted.
echo_through()
{
	play inet "send:$1$(hex_of ping)" shut dump
	target_held
	granted=${lines[-2]}
	[ "${granted:16}" = "$(hex_of pong)" ]
	granted=${granted:0:16}
	has reply 0
	has bytes_up 4
	has bytes_down 4
	has end client-eof
}

@test "CONNECT by address and by name: payload both ways" {
	for request in connect4 "connect4a localhost" "connect4a 127.0.0.1"; do
		start_target expect:ping text:pong eof
		echo_through "$($request "$port")"
		[[ $granted == 005a* ]]
		has command CONNECT
	done
	has target "127.0.0.1:$port"
}

@test "the reply carries the outgoing socket's own address" {
	start_target expect:ping text:pong eof
	echo_through "$(connect4 "$port")"
	[ "$granted" = "005a$(hex16 "$(sed -n 's/^peer .* //p' \
		"$BATS_TEST_TMPDIR/target.out")")7f000001" ]
}

@test "an IPv6 address can't be said: 0.0.0.0:0, and it works" {
	target_options=(-6)
	start_target expect:ping text:pong eof
	echo_through "$(connect4a ::1 "$port")"
	[ "$granted" = $granted_nothing ]
	has address "[::1]:$port"
}

@test "request and payload split at every byte" {
	for request in connect4 "connect4a localhost"; do
		start_target expect:ping text:pong eof
		play inet "split:$($request "$port")$(hex_of ping)" shut dump
		target_held
		[[ ${lines[-2]} == 005a????????????$(hex_of pong) ]]
		has bytes_up 4
	done
}

@test "the user id is in the record, escaped, and nowhere if there is none" {
	rejects "$(connect4 1 fred)"
	has ident fred
	rejects "$(connect4 1 $'a "b\nclient=x')"
	has ident 'a\x20\x22b\x0aclient=x'
	rejects "$(connect4a no-such.invalid 80 fred)"
	has ident fred
	rejects "$(connect4 1)"
	[[ $record != *ident=* ]]
}

@test "what failed is 5B, and the record says what" {
	rejects "$(connect4 1)"
	has reply 5
	has error "Connection refused"
	rejects "$(connect4a no-such.invalid 80)"
	has reply 4
	has target no-such.invalid:80
}

@test "0.0.0.x is a name's mark only where all four bytes say so" {
	# A name follows each of them, which is payload for the first three.
	for ip in 01000001 00010001 00000101; do
		play inet "send:04010050${ip}00$(hex_of localhost)00" \
			recv:$rejected eof -- --connect-timeout=1
		[[ $(field target) =~ ^[01]\.[01]\.[01]\.1:80$ ]]
	done
	for ip in 00000001 0000007f 000000ff; do
		rejects "04010001${ip}00$(hex_of localhost)00"
		has target localhost:1
		has reply 5
	done
}

@test "user id and name have 255 bytes at most" {
	long=$(printf 'u%.0s' {1..255})
	rejects "$(connect4 1 "$long")"
	has ident "$long"
	# Nobody waits for their end.
	rejects "0401000150000001$(hex_of "u$long")"
	has end malformed
	has error "too long"
	rejects "0401000100000001$(hex_of "$long")00$(hex_of "u$long")"
	has end malformed
	name=$(printf 'a%.0s' {1..63}).$(printf 'b%.0s' {1..63}).
	name+=$(printf 'c%.0s' {1..63}).$(printf 'd%.0s' {1..55}).invalid
	rejects "$(connect4a "$name" 80)"
	has target "$name:80"
	has reply 4
}

@test "names that a resolver would cut short or misread are 5B" {
	rejects "$(connect4a "" 80)"
	has error "not a host name"
	rejects "$(connect4a $'a\nb' 80)"
	has error "not a host name"
	has target 'a\x0ab:80'
	rejects "$(connect4a 'a b' 80)"
}

@test "other commands are 5B, without waiting for more" {
	for command in 00 03 f1 ff; do
		rejects "04$command"
		has end refused
		has error "command not supported"
	done
}

@test "no request in time is 5B" {
	play inet send:04010050 recv:$rejected eof -- --handshake-timeout=0.2
	has end handshake-timeout
	play inet send:04010050 close
	has end client-eof
}

@test "a rejection is read by a client that has sent much more already" {
	play inet "send:$(connect4 1)" pattern:100K hold:200 recv:$rejected \
		shut eof
}

# bytes_of HEX
bytes_of()
{
	local escaped

	escaped=$(fold -w 2 <<<"$1" | sed 's/^/\\x/' | tr -d '\n')
	# shellcheck disable=SC2059 # NULs and all
	printf "$escaped"
}

# longer_than FILE N
longer_than()
{
	[ "$(stat -c %s "$1")" -ge "$2" ]
}

@test "BIND: both replies, and payload both ways" {
	out=$BATS_TEST_TMPDIR/out
	for host in 7f00000100 0000000100"$(hex_of localhost)"00; do
		: >"$out"
		{
			bytes_of "04020000$host$(hex_of ping)"
			wait_until longer_than "$out" 20
		} | "$HANDLER" --log=stderr 2>"$BATS_TEST_TMPDIR/err" |
			cat >"$out" 3>&- &
		target=$!
		wait_until longer_than "$out" 8
		first=$(od -An -v -tx1 "$out" | tr -d ' \n')
		[[ $first == 005a????7f000001 ]]
		"$HOSTS/client" "tcp:127.0.0.1:$((16#${first:4:4}))" \
			expect:ping text:pong shut eof
		wait "$target"
		target=
		record=$(sed 's/^socks5-handler: //' "$BATS_TEST_TMPDIR/err")
		echo "$record"
		has command BIND
		has end target-eof
		peer=$(field address)
		[[ $peer == 127.0.0.1:* ]]
		[ "$(od -An -v -tx1 "$out" | tr -d ' \n')" = \
			"${first}005a$(hex16 "${peer##*:}")7f000001$(hex_of pong)" ]
	done
}

@test "BIND is for IPv4 alone" {
	play inet "send:0402000000000001""00$(hex_of ::1)00" recv:$rejected eof
	has reply 8
	play inet6 "send:040200000000000000" recv:$rejected eof
	has reply 8
}

@test "curl's socks4:// and socks4a://" {
	need curl busybox
	start_web
	start_superserver systemd-socket-activate-inetd --log=stderr
	count=0
	for how in "socks4 127.0.0.1" "socks4a localhost" "socks4a 127.0.0.1"; do
		read -r scheme host <<<"$how"
		fetch "$BATS_TEST_TMPDIR/out" -U fred: \
			-x "$scheme://127.0.0.1:$PORT" \
			"http://$host:$WEB_PORT/file"
		came_whole "$BATS_TEST_TMPDIR/out"
		count=$((count + 1))
		wait_for_records $count
		has ident fred
		has target "$host:$WEB_PORT"
		has reply 0
	done
}

@test "links2, which speaks SOCKS4a" {
	need links2 busybox
	start_web
	start_superserver systemd-socket-activate-inetd --log=stderr
	HOME=$BATS_TEST_TMPDIR timeout -k 5 30 links2 \
		-socks-proxy "fred@127.0.0.1:$PORT" \
		-source "http://localhost:$WEB_PORT/file" >"$BATS_TEST_TMPDIR/out"
	came_whole "$BATS_TEST_TMPDIR/out"
	wait_for_records 1
	has target "localhost:$WEB_PORT"
	has reply 0
	has ident fred
	echo "<p>far <b>away</b>" >"$WEB/page.html"
	run env HOME="$BATS_TEST_TMPDIR" timeout -k 5 30 links2 \
		-socks-proxy "127.0.0.1:$PORT" \
		-dump "http://localhost:$WEB_PORT/page.html"
	[[ $output == *"far away"* ]]
	wait_for_records 2
}
