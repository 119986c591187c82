#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Tor's RESOLVE and RESOLVE_PTR, off unless --resolve.

load handler

teardown()
{
	handler_teardown
}

# resolve NAME
resolve()
{
	printf '05f00003%02x%s0000\n' "${#1}" "$(hex_of "$1")"
}

# name_reply NAME: RESOLVE_PTR's, in hex
name_reply()
{
	printf '05000003%02x%s0000\n' "${#1}" "$(hex_of "$1")"
}

# asks REQUEST ANSWER: these bytes of SOCKS5 get those, and the end, where
# /etc/hosts is what $hosts says; asks4 of SOCKS4.
hosts='192.0.2.1 four.test
2001:db8::1 six.test
2001:db8::2 both.test
192.0.2.2 both.test'
asks()
{
	asks_in_steps "${greet[@]}" "send:$1" "recv:$2" eof
}

asks4()
{
	asks_in_steps "send:$1" "recv:$2" eof -- "${@:3}"
}

asks_in_steps()
{
	local -a steps=()

	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	need_namespaces
	printf '%s\n' "$hosts" >"$BATS_TEST_TMPDIR/hosts"
	printf 'hosts: files\n' >"$BATS_TEST_TMPDIR/nsswitch.conf"
	run --separate-stderr unshare -rnm sh -c '
		ip link set lo up
		for file in hosts nsswitch.conf; do
			mount --bind "$0/$file" "/etc/$file"
		done
		exec "$@"' "$BATS_TEST_TMPDIR" "$HOSTS/client" inet \
		"${steps[@]}" -- "$HANDLER" --log=stderr --resolve "${@:2}"
	record=$(sed -n 's/^socks5-handler: \(client=\)/\1/p' <<<"$stderr")
	echo "$output"
	echo "$stderr"
	[ "$status" -eq 0 ]
}

@test "off: REP 07, and nothing is looked up" {
	play inet "${greet[@]}" "send:$(resolve no-such.invalid)" reply:07 eof
	has command RESOLVE
	has error "command not supported without --resolve"
	play inet "${greet[@]}" send:05f100017f0000010000 reply:07 eof
	has command RESOLVE_PTR
}

@test "RESOLVE: an address, IPv4 where there is one" {
	asks "$(resolve four.test)" 05000001c00002010000
	has command RESOLVE
	has target four.test:0
	has address 192.0.2.1:0
	has reply 0
	has end answered
	asks "$(resolve six.test)" \
		0500000420010db80000000000000000000000010000
	asks "$(resolve both.test)" 05000001c00002020000
	# Whatever stands for the port is no port of that.
	asks "$(resolve four.test | sed 's/....$/01bb/')" 05000001c00002010000
}

@test "RESOLVE: an address is its own answer" {
	asks "$(resolve 192.0.2.9)" 05000001c00002090000
	asks 05f00001c00002090000 05000001c00002090000
	asks "$(resolve ::ffff:192.0.2.9)" 05000001c00002090000
}

@test "RESOLVE: not found is REP 04, no name at all is REP 01" {
	asks "$(resolve nowhere.test)" 05040001000000000000
	has end refused
	asks 05f000030361006200"00" 05010001000000000000
	has error "not a host name"
}

@test "RESOLVE_PTR: a name, as ATYP 3" {
	asks 05f10001c00002010000 "$(name_reply four.test)"
	has command RESOLVE_PTR
	has target 192.0.2.1:0
	has reply 0
	has end answered
	asks 05f1000420010db80000000000000000000000010000 \
		"$(name_reply six.test)"
	# The address in words, and mapped.
	asks "05f1$(resolve 192.0.2.1 | cut -c 5-)" "$(name_reply four.test)"
	asks 05f1000400000000000000000000ffffc00002010000 \
		"$(name_reply four.test)"
}

@test "RESOLVE_PTR: no name is REP 04, no address is REP 08" {
	asks 05f10001c00002630000 05040001000000000000
	has end refused
	asks "05f1$(resolve four.test | cut -c 5-)" 05080001000000000000
}

# resolve4 NAME: SOCKS4a's
resolve4()
{
	printf '04f000000000000100%s00\n' "$(hex_of "$1")"
}

@test "SOCKS4a RESOLVE, as tor-resolve -4 asks: answered as over SOCKS5" {
	asks4 "$(resolve4 four.test)" 005a0000c0000201
	has command RESOLVE
	has target four.test:0
	has address 192.0.2.1:0
	has reply 0
	has end answered
	asks4 "$(resolve4 both.test)" 005a0000c0000202 --prefer=ipv6
	# By SOCKS4, the address that it is; by whatever port.
	asks4 04f001bbc000020900 005a0000c0000209
	# There is no room for any other.
	asks4 "$(resolve4 six.test)" 005b000000000000
	has error "SOCKS4 has no room for an IPv6 address"
	has end refused
	asks4 "$(resolve4 nowhere.test)" 005b000000000000
	has error "name not found"
	# Nor for a name.
	asks4 04f10000c000020100 005b000000000000
	has error "command not supported"
	play inet "send:$(resolve4 four.test)" recv:005b000000000000 eof
	has error "command not supported without --resolve"
}

@test "tor-resolve, with SOCKS4 and SOCKS5" {
	local tor_resolve=$SUPERSERVERS/tor/usr/bin/tor-resolve

	need "$tor_resolve" socat
	need_namespaces
	printf '%s\n' "$hosts" >"$BATS_TEST_TMPDIR/hosts"
	run --separate-stderr timeout -k 5 60 unshare -rnm bash -c '
		ip link set lo up
		unshare -m sh -c "mount --bind \"$1/hosts\" /etc/hosts
			exec socat TCP-LISTEN:1080,bind=127.0.0.1,fork \
			EXEC:\"$HANDLER --log=stderr --resolve\",nofork" &
		trap "kill $!" EXIT
		for ((i = 0; i < 1000; i++)); do
			! grep -q ":0438 .* 0A " /proc/net/tcp || break
			sleep 0.01
		done
		for name in four.test both.test six.test nowhere.test; do
			for version in -4 -5; do
				timeout -k 1 15 "$2" $version $name \
					127.0.0.1:1080 || echo none
			done
		done 2>/dev/null
		' bash "$BATS_TEST_TMPDIR" "$tor_resolve" 3>&-
	echo "$output"
	echo "$stderr"
	[ "$output" = "192.0.2.1
192.0.2.1
192.0.2.2
192.0.2.2
none
2001:db8::1
none
none" ]
}

@test "a name server that never answers: REP 04 when the time is over" {
	need_namespaces
	for request in "$(resolve slow.example)" 05f10001c00002010000; do
		run --separate-stderr unshare -rnm sh -c '
			ip link set lo up
			echo "nameserver 127.0.0.1" >"$0/resolv.conf"
			echo "hosts: dns" >"$0/nsswitch.conf"
			for file in resolv.conf nsswitch.conf; do
				mount --bind "$0/$file" "/etc/$file"
			done
			socat -u UDP4-RECV:53,bind=127.0.0.1 \
				OPEN:/dev/null & silent=$!
			until grep -q ":0035 " /proc/net/udp; do
				sleep 0.01
			done
			"$@"; status=$?
			kill $silent; wait $silent
			exit $status' "$BATS_TEST_TMPDIR" "$HOSTS/client" inet \
			"${greet[@]}" "send:$request" children:1 reply:04 \
			children:0 eof -- \
			"$HANDLER" --log=stderr --resolve --connect-timeout=0.7
		record=$(sed -n 's/^socks5-handler: \(client=\)/\1/p' \
			<<<"$stderr")
		echo "$output$stderr"
		[ "$status" -eq 0 ]
		has end connect-timeout
	done
}

@test "the answer is read by a client that has sent much more already" {
	play inet "send:050100$(resolve 127.0.0.1)" pattern:100K hold:200 \
		recv:0500 recv:050000017f0000010000 shut eof -- --resolve
}

@test "torsocks resolves remotely" {
	need torsocks busybox curl socat /usr/bin/python3
	need_namespaces
	mkdir "$BATS_TEST_TMPDIR/web"
	echo fetched >"$BATS_TEST_TMPDIR/web/file"
	echo "192.0.2.1 only.there.test" >"$BATS_TEST_TMPDIR/hosts"
	printf 'TorAddress 127.0.0.1\nTorPort 1080\n' \
		>"$BATS_TEST_TMPDIR/torsocks.conf"
	# Only the handler has these hosts. torsocks wants no loopback address.
	run --separate-stderr timeout -k 5 60 unshare -rnm bash -c '
		ip link set lo up
		ip address add 192.0.2.1/32 dev lo
		export HOME=$1 TORSOCKS_CONF_FILE=$1/torsocks.conf
		busybox httpd -f -p 192.0.2.1:80 -h "$1/web" & web=$!
		unshare -m sh -c "mount --bind \"$1/hosts\" /etc/hosts
			exec socat TCP-LISTEN:1080,bind=127.0.0.1,fork \
			EXEC:\"$HANDLER --log=stderr --resolve\",nofork" &
		listener=$!
		trap "kill $web $listener" EXIT
		for port in 0438 0050; do
			for ((i = 0; i < 1000; i++)); do
				! grep -q ":$port .* 0A " /proc/net/tcp || break
				sleep 0.01
			done
		done
		run_it()
		{
			timeout -k 1 15 torsocks "$@"
		}
		run_it curl -q -sS --noproxy "" http://only.there.test/file
		run_it /usr/bin/python3 -c "import socket
print(socket.gethostbyname(\"only.there.test\"))
print(socket.gethostbyaddr(\"192.0.2.1\")[0])"
		! run_it /usr/bin/python3 -c "import socket
socket.gethostbyname(\"nowhere.test\")" 2>/dev/null
		' bash "$BATS_TEST_TMPDIR" 3>&-
	echo "$output"
	echo "$stderr"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = fetched ]
	[ "${lines[1]}" = 192.0.2.1 ]
	[ "${lines[2]}" = only.there.test ]
	[ "$(grep -c 'command=RESOLVE target=only.there.test:.* end=answered' \
		<<<"$stderr")" -eq 2 ]
	[ "$(grep -c 'command=RESOLVE_PTR target=192.0.2.1:.* end=answered' \
		<<<"$stderr")" -eq 1 ]
	grep -q 'command=CONNECT target=192.0.2.1:80 .* reply=0 ' <<<"$stderr"
}
