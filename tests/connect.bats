#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Connecting out: which address wins, and which REP says that none did.

load handler

teardown()
{
	handler_teardown
}

# in_network COMMAND...: in network and mount namespaces of its own, where
# loopback is up and /etc/hosts is what $hosts says.
in_network()
{
	printf '%s\n' "$hosts" >"$BATS_TEST_TMPDIR/hosts"
	printf 'hosts: files dns\n' >"$BATS_TEST_TMPDIR/nsswitch.conf"
	printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' \
		>"$BATS_TEST_TMPDIR/resolv.conf"
	unshare -rnm sh -c '
		ip link set lo up
		for file in hosts nsswitch.conf resolv.conf; do
			mount --bind "$0/$file" "/etc/$file"
		done
		exec "$@"' "$BATS_TEST_TMPDIR" "$@"
}

# in_network_play COMMAND...: one that runs the client, in that network. Its
# steps must hold; leaves the record to field().
in_network_play()
{
	need_namespaces
	run --separate-stderr in_network "$@"
	record=$(grep '^socks5-handler: client=' <<<"$stderr" || :)
	record=${record#socks5-handler: }
	echo "$output"
	echo "$stderr"
	[ "$status" -eq 0 ]
}

# The same beside a name server that listens and never answers. The resolver
# alone would wait for it for 5 seconds and longer.
beside_silent_server()
{
	in_network_play sh -c 'printf "nameserver 127.0.0.1\n" >/etc/resolv.conf
		socat -u UDP4-RECV:53,bind=127.0.0.1 OPEN:/dev/null & silent=$!
		until grep -q ":0035 " /proc/net/udp; do sleep 0.01; done
		"$@"; status=$?
		kill $silent; wait $silent
		exit $status' sh "$@"
}

@test "refused is REP 05" {
	play inet "${greet[@]}" "send:$(request4 1)" reply:05 eof
	has end refused
	has error "Connection refused"
	has address 127.0.0.1:1
}

@test "an unreachable network is REP 03" {
	hosts=
	in_network_play "$HOSTS/client" inet "${greet[@]}" \
		"send:$(request4 80 192.0.2.1)" reply:03 eof -- \
		"$HANDLER" --log=stderr
	# In the words of either libc.
	[[ $(field error) =~ ^Network\ (is\ )?unreachable$ ]]
	in_network_play "$HOSTS/client" inet "${greet[@]}" \
		send:0501000420010db80000000000000000000000010050 reply:03 \
		eof -- "$HANDLER" --log=stderr
}

@test "an unreachable host is REP 04" {
	hosts=
	# A route that the kernel answers with EHOSTUNREACH.
	in_network_play sh -c 'ip route add unreachable 192.0.2.0/24
		exec "$@"' sh "$HOSTS/client" inet "${greet[@]}" \
		"send:$(request4 80 192.0.2.1)" reply:04 eof -- \
		"$HANDLER" --log=stderr
	[[ $(field error) =~ ^(No\ route\ to\ host|Host\ is\ unreachable)$ ]]
}

@test "forbidden by this machine is REP 02" {
	hosts=
	in_network_play sh -c 'ip route add prohibit 192.0.2.0/24
		exec "$@"' sh "$HOSTS/client" inet "${greet[@]}" \
		"send:$(request4 80 192.0.2.1)" reply:02 eof -- \
		"$HANDLER" --log=stderr
	has error "Permission denied"
}

@test "a name that is not found is REP 04" {
	play inet "${greet[@]}" "send:$(request_name no-such.invalid 80)" \
		reply:04 eof
	has end refused
	[[ $(field error) =~ ^name ]]
}

@test "::1 refuses and 127.0.0.1 answers: connected" {
	hosts=$'::1 both.test\n127.0.0.1 both.test'
	start_in=$BATS_TEST_TMPDIR/port
	in_network_play sh -c '"$HOSTS/target" -p 7000 "$0" expect:ping eof &
		until [ -e "$0" ]; do sleep 0.01; done
		"$@"; status=$?
		wait; exit $status' "$start_in" \
		"$HOSTS/client" inet "${greet[@]}" \
		"send:$(request_name both.test 7000)" reply:00 text:ping shut \
		closed -- "$HANDLER" --log=stderr
	has address 127.0.0.1:7000
}

@test "each of many addresses is tried, in order" {
	hosts=$(printf '127.0.1.%d many.test\n' {1..20})
	start_in=$BATS_TEST_TMPDIR/port
	in_network_play sh -c '"$HOSTS/target" -a 127.0.1.20 -p 7000 "$0" eof &
		until [ -e "$0" ]; do sleep 0.01; done
		"$@"; status=$?
		wait; exit $status' "$start_in" \
		"$HOSTS/client" inet "${greet[@]}" \
		"send:$(request_name many.test 7000)" reply:00 shut closed -- \
		"$HANDLER" --log=stderr
	has address 127.0.1.20:7000
}

# bats test_tags=traced
@test "IPv6 and IPv4 take turns" {
	need_strace
	hosts=$'::1 turns.test\n2001:db8::2 turns.test\n127.0.0.1 turns.test'
	in_network_play sh -c 'ip -6 address add 2001:db8::2/128 dev lo nodad
		exec "$@"' sh "$HOSTS/client" socketpair "${greet[@]}" \
		"send:$(request_name turns.test 7000)" reply:05 eof -- \
		strace -D -o "$BATS_TEST_TMPDIR/trace" -e trace=connect \
		"$HANDLER" --log=stderr
	trace_is_whole
	run grep -o 'sa_family=AF_INET6\{0,1\}, sin6\{0,1\}_port=htons(7000)' \
		"$BATS_TEST_TMPDIR/trace"
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[0]} == *AF_INET6* ]]
	[[ ${lines[1]} == *AF_INET,* ]]
	[[ ${lines[2]} == *AF_INET6* ]]
}

@test "an address that doesn't answer holds up the next one only briefly" {
	hosts=$'127.0.1.1 slow.test\n127.0.1.2 slow.test'
	start_in=$BATS_TEST_TMPDIR/port
	in_network_play sh -c '
		"$HOSTS/target" -x -a 127.0.1.1 -p 7000 "$0.hole" & hole=$!
		"$HOSTS/target" -a 127.0.1.2 -p 7000 "$0" eof & target=$!
		until [ -e "$0" ] && [ -e "$0.hole" ]; do sleep 0.01; done
		"$@"; status=$?
		wait $target; kill $hole; wait $hole
		exit $status' "$start_in" \
		"$HOSTS/client" inet "${greet[@]}" \
		"send:$(request_name slow.test 7000)" reply:00 shut closed -- \
		"$HANDLER" --log=stderr
	has address 127.0.1.2:7000
	at_least "$(field connect_ms)" 200
}

@test "refused goes before unreachable, whatever the order" {
	hosts=$'192.0.2.1 mixed.test\n127.0.0.1 mixed.test\n2001:db8::1 mixed.test'
	in_network_play "$HOSTS/client" inet "${greet[@]}" \
		"send:$(request_name mixed.test 7000)" reply:05 eof -- \
		"$HANDLER" --log=stderr
}

@test "a connection to ourselves is no connection: REP 05" {
	# Nobody listens there, and the kernel has only this port to give to
	# the outgoing socket.
	hosts=
	in_network_play sh -c 'echo 7001 7001 \
		>/proc/sys/net/ipv4/ip_local_port_range
		exec "$@"' sh "$HOSTS/client" socketpair "${greet[@]}" \
		"send:$(request4 7001)" reply:05 eof -- "$HANDLER" --log=stderr
}

@test "a name server that never answers: REP 04 when the time is over" {
	hosts=
	# It is bound, and silent; the resolver alone would wait for 5 seconds.
	beside_silent_server "$HOSTS/client" inet "${greet[@]}" \
		"send:$(request_name slow.example 80)" children:1 reply:04 \
		children:0 eof -- "$HANDLER" --log=stderr --connect-timeout=0.7
	has end connect-timeout
	at_least "$(field connect_ms)" 600
	at_most "$(field connect_ms)" 4000
}

@test "a client that resets while its name is looked up is not waited for" {
	hosts=
	beside_silent_server "$HOSTS/client" inet "${greet[@]}" \
		"send:$(request_name slow.example 80)" children:1 abort -- \
		"$HANDLER" --log=stderr --connect-timeout=60
	has end client-reset
	at_most "$(field duration_ms)" 10000
}

@test "a client that resets while connecting is not waited for" {
	target_options=(-x)
	start_target
	play inet "${greet[@]}" "send:$(request4 "$port")" hold:100 abort -- \
		--connect-timeout=60
	has end client-reset
	at_most "$(field duration_ms)" 10000
}
