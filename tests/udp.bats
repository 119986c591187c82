#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# UDP ASSOCIATE, RFC 1928 sections 6 and 7: what is relayed, for whom, what is
# dropped and counted, and what ends it.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load handler
load datagram

setup()
{
	target_options=()
}

teardown()
{
	handler_teardown
	stop_udp_targets
}

@test "IPv4, IPv6 and names, both ways: the sender's address is in front" {
	start_udp_target
	four=$port
	start_udp_target -a ::1
	six=$port
	play inet "${associate[@]}" \
		"put:$(to4 "$four")6869" "get:$(to4 "$four")6869" \
		"put:$(to6 "$six")6869686a" "get:$(to6 "$six")6869686a" \
		"put:$(to_name 127.0.0.1 "$four")01" "get:$(to4 "$four")01" \
		"put:$(to_name ::1 "$six")02" "get:$(to6 "$six")02" close
	has command UDP_ASSOCIATE
	has target 0.0.0.0:"$(sed -n 's/.* target=0.0.0.0:\([0-9]*\) .*/\1/p' \
		<<<"$record")"
	has reply 0
	has udp_up 4
	has udp_down 4
	has bytes_up 8
	has bytes_down 8
	has dropped ''
	has end client-eof
}

@test "a client on IPv6" {
	start_udp_target
	play inet6 "${greet[@]}" ask:0400000000000000000000000000000000 \
		associated "put:$(to4 "$port")6869" "get:$(to4 "$port")6869" \
		close
	[[ $output == *"bnd ::1 "* ]]
	has udp_down 1
}

@test "BND.ADDR is the address that the client reached us on" {
	need socat
	for address in 127.0.0.1 127.0.0.7; do
		start_listener "$address"
		start_udp_target
		run --separate-stderr "$HOSTS/client" \
			"tcp:$address:$listener" "${associate[@]}" \
			"put:$(to4 "$port")6869" "get:$(to4 "$port")6869" close
		echo "$output" "$stderr"
		[ "$status" -eq 0 ]
		[[ $output == *"bnd $address "* ]]
	done
}

# start_listener ADDRESS: the handler under socat, there; the port is in
# $listener. Clients from elsewhere are let in; those on loopback may reach this
# host, which --open would deny.
start_listener()
{
	local listen=TCP4-LISTEN open=--open

	listener=$(free_port)
	[[ $1 != *:* ]] || listen=TCP6-LISTEN
	[[ $1 != 127.* ]] || open=--log=stderr
	"${in_there[@]}" socat \
		"$listen:$listener,bind=$1,reuseaddr,fork" \
		"EXEC:$HANDLER --log=stderr $open --lifetime=0,nofork" \
		2>>"$BATS_TEST_TMPDIR/listener.log" 3>&- &
	others+=($!)
	wait_until listens "$listener"
}

listens()
{
	port_lines "${others[-1]}" "$1" >/dev/null
}

@test "payloads from nothing to the largest that fits" {
	start_udp_target
	play inet "${associate[@]}" \
		"put:$(to4 "$port")" "get:$(to4 "$port")" \
		"put:$(to4 "$port")+1" "get:$(to4 "$port")+1" \
		"put:$(to4 "$port")+1472" "get:$(to4 "$port")+1472" \
		"put:$(to4 "$port")+9000" "get:$(to4 "$port")+9000" \
		"put:$(to4 "$port")+65497" "get:$(to4 "$port")+65497" \
		"put:$(to4 "$port")" "get:$(to4 "$port")" close
	has udp_up 6
	has udp_down 6
	has bytes_up $((1 + 1472 + 9000 + 65497))
	has bytes_down $((1 + 1472 + 9000 + 65497))
}

@test "a datagram that is longer than IPv4 has them is dropped" {
	start_udp_target -a 127.0.0.1
	play inet6 "${associate[@]}" "put:$(to4 "$port")+65508" \
		"put:$(to4 "$port")+65507" "get:$(to4 "$port")+65507" close
	has dropped oversize:1
	has udp_up 1
	has bytes_up 65507
	has end client-eof
}

@test "an answer that leaves no room for the header is dropped" {
	start_udp_target -r 65498 -r 65497
	play inet "${associate[@]}" "put:$(to4 "$port")01" \
		"put:$(to4 "$port")01" "get:$(to4 "$port")+65497" close
	has dropped oversize:1
	has udp_up 2
	has udp_down 1
}

@test "the largest answer of all reaches a client on IPv6" {
	start_udp_target -r 65507
	play inet6 "${associate[@]}" "put:$(to4 "$port")01" \
		"get:$(to4 "$port")+65507" close
	has bytes_down 65507
}

@test "fragments, junk and headers cut short are dropped and end nothing" {
	start_udp_target
	local header

	header=$(to4 "$port")
	play inet "${associate[@]}" \
		"put:000001${header:6}6869" "put:000080${header:6}6869" \
		put:010203 put: put:00 put:0000000300 \
		"put:00000003" put:0000000105 "put:00000002${header:8}" \
		"put:0001${header:4}6869" "put:0100${header:4}6869" \
		"put:00000003000035" "put:0000000303610062$(hex16 "$port")" \
		"put:${header:0:18}" \
		"put:${header}6869" "get:${header}6869" silent:100 close
	has dropped fragment:2,malformed:12
	has udp_up 1
	has end client-eof
	[ "$(wc -l <"$udp_out")" -eq 1 ]
}

@test "the first port that sends is the client's, other ports are strangers" {
	start_udp_target
	play inet "${associate[@]}" udp:127.0.0.1 udp:127.0.0.1 \
		"put:$(to4 "$port")6869" "get:$(to4 "$port")6869" \
		use:1 "put:$(to4 "$port")01" silent:100 \
		use:2 "put:$(to4 "$port")02" silent:100 \
		use:3 "put:$(to4 "$port")03" "get:$(to4 "$port")03" close
	has dropped stranger:2
	has udp_up 2
	has udp_down 2
}

@test "junk does not make a port the client's" {
	start_udp_target
	play inet "${associate[@]}" udp:127.0.0.1 put:010203 \
		use:1 "put:$(to4 "$port")6869" "get:$(to4 "$port")6869" close
	has dropped malformed:1
	has udp_up 1
}

@test "datagrams from another host are dropped, before and after the first" {
	start_udp_target
	play inet "${associate[@]}" udp:127.0.0.2 "put:$(to4 "$port")01" \
		use:1 "put:$(to4 "$port")6869" "get:$(to4 "$port")6869" \
		use:2 "put:$(to4 "$port")02" silent:100 close
	has dropped stranger:2
	has udp_up 1
	[ "$(wc -l <"$udp_out")" -eq 1 ]
}

@test "a client that a proxy speaks for sends from its own address" {
	start_udp_target
	play inet 'text:PROXY TCP4 127.0.0.2 127.0.0.1 4711 1080\r\n' \
		"${associate[@]}" "put:$(to4 "$port")01" \
		udp:127.0.0.2 "put:$(to4 "$port")02" "get:$(to4 "$port")02" \
		close -- --proxy-protocol
	has client 127.0.0.2:4711
	has dropped stranger:1
	has udp_up 1
	play inet 'text:PROXY TCP6 ::2 ::1 4711 1080\r\n' "${greet[@]}" \
		ask:0100000000 reply:07 eof -- --proxy-protocol --open
	has error "UDP needs a proxy that is reached as it reaches us, by IPv4 or IPv6"
}

@test "DST.PORT is believed where DST.ADDR is the client's own" {
	start_udp_target
	for own in 017f000001 0400000000000000000000ffff7f000001; do
		play inet "${greet[@]}" "ask:$own" associated udp:127.0.0.1 \
			"put:$(to4 "$port")01" silent:100 \
			use:1 "put:$(to4 "$port")02" "get:$(to4 "$port")02" \
			close
		has dropped stranger:1
		has udp_up 1
	done
}

@test "any other DST.ADDR is not believed: private, the destination, a name" {
	start_udp_target
	for other in 0100000000 010a000001 017f000002 \
		040000000000000000000000000000000 \
		"03096c6f63616c686f7374"; do
		[ ${#other} -ne 33 ] || other+="1"
		play inet "${greet[@]}" "ask:$other" associated udp:127.0.0.1 \
			"put:$(to4 "$port")01" "get:$(to4 "$port")01" close
		has dropped ''
		has udp_up 1
	done
}

@test "whom the client has sent to may answer from another port" {
	start_udp_target -o
	play inet "${associate[@]}" "put:$(to4 "$port")6869" close
	# The port is the kernel's choice; the answer's own is in its header.
	start_udp_target -o -r 4
	run --separate-stderr "$HOSTS/client" inet "${associate[@]}" \
		"put:$(to4 "$port")6869" get: -- "$HANDLER" --log=stderr
	[ "$status" -ne 0 ]
	[[ $stderr =~ "got 14 bytes: 000000017f000001"(....)00070e15 ]]
	[ "${BASH_REMATCH[1]}" != "$(hex16 "$port")" ]
}

@test "whom the client has not sent to may not send to it" {
	start_udp_target -s 127.0.0.9
	play inet "${associate[@]}" "put:$(to4 "$port")6869" \
		"get:$(to4 "$port")6869" silent:100 close
	has dropped stranger:1
	has udp_down 1
	# As soon as it has, they may.
	play inet "${associate[@]}" "put:$(to4 9 7f000009)" \
		"put:$(to4 "$port")6869" close
	run --separate-stderr "$HOSTS/client" inet "${associate[@]}" \
		"put:$(to4 9 7f000009)" "put:$(to4 "$port")6869" get: \
		-- "$HANDLER" --log=stderr
	[[ $stderr == *"got 12 bytes: 000000017f000009"* ]]
}

@test "a burst arrives whole and in order, whatever the sizes" {
	start_udp_target
	four=$port
	start_udp_target -a ::1
	play inet "${associate[@]}" "puts:$(to4 "$four")+200" \
		"gets:$(to4 "$four")+200" \
		"puts:$(to6 "$port")+20" "gets:$(to6 "$port")+20" \
		"put:$(to4 "$four")+1000" "put:$(to4 "$four")+1000" \
		"put:$(to4 "$four")+9" "put:$(to4 "$four")+9" \
		"put:$(to4 "$four")" "put:$(to4 "$four")" \
		"put:$(to4 "$four")+2000" \
		"get:$(to4 "$four")+1000" "get:$(to4 "$four")+1000" \
		"get:$(to4 "$four")+9" "get:$(to4 "$four")+9" \
		"get:$(to4 "$four")" "get:$(to4 "$four")" \
		"get:$(to4 "$four")+2000" close
	has udp_up 227
	has udp_down 227
	has dropped ''
}

# --- errors of the network ---

@test "a port that nobody listens on ends nothing" {
	start_udp_target
	play inet "${associate[@]}" "put:$(to4 1)01" "put:$(to4 1)02" hold:50 \
		"put:$(to4 1)03" "put:$(to4 "$port")6869" \
		"get:$(to4 "$port")6869" close
	has udp_up 4
	has udp_down 1
	has dropped ''
}

@test "what the kernel does not take is counted, and ends nothing" {
	need_namespaces
	# No route, port 0, and a broadcast address, in a network of loopback.
	unshare -rn sh -c 'ip link set lo up && exec "$@"' sh \
		"$HOSTS/client" inet "${associate[@]}" \
		"put:$(to4 53 c0000201)01" "put:$(to4 0)01" \
		"put:$(to4 53 ffffffff)01" hold:50 close \
		-- "$HANDLER" --log=stderr 2>"$BATS_TEST_TMPDIR/stderr"
	record=$(grep -o 'client=.*' "$BATS_TEST_TMPDIR/stderr")
	echo "$record"
	has dropped unsent:3
	has udp_up 0
	has end client-eof
}

# --- names ---

@test "a name is looked up once, and its datagrams keep their order" {
	need_strace
	start_udp_target
	run --separate-stderr "$HOSTS/client" inet "${associate[@]}" \
		"puts:$(to_name localhost "$port")+4" hold:300 \
		"put:$(to_name localhost "$port")6869" close -- \
		strace -f -qq -e trace=clone,clone3,fork,vfork \
		-o "$BATS_TEST_TMPDIR/trace" "$HANDLER" --log=stderr
	record=$(grep -o 'client=.*' <<<"$stderr")
	echo "$output" "$stderr"
	[ "$status" -eq 0 ]
	has dropped ''
	has udp_up 5
	[ "$(grep -cE '(clone|fork)' "$BATS_TEST_TMPDIR/trace")" -eq 1 ]
}

@test "a name that doesn't exist is counted, and no other waits for it" {
	start_udp_target
	play inet "${associate[@]}" \
		"put:$(to_name no-such-name.invalid 53)01" \
		"put:$(to4 "$port")6869" "get:$(to4 "$port")6869" hold:500 \
		"put:$(to_name no-such-name.invalid 53)01" hold:100 close
	has dropped unresolved:2
	has udp_up 1
}

# In a network where the name server answers nobody.
@test "look-ups that hang hold up nobody, and what waits is bounded" {
	need_namespaces
	need socat
	names=()
	for digits in 3{0..9}3{0..9}; do # 00.test to 99.test
		names+=("put:0000000307${digits}2e74657374003501")
	done
	printf 'hosts: files dns\n' >"$BATS_TEST_TMPDIR/nsswitch.conf"
	printf 'nameserver 127.0.0.1\n' >"$BATS_TEST_TMPDIR/resolv.conf"
	run --separate-stderr unshare -rnm sh -c '
		ip link set lo up
		for file in nsswitch.conf resolv.conf; do
			mount --bind "$0/$file" "/etc/$file"
		done
		socat -u UDP4-RECV:53,bind=127.0.0.1 OPEN:/dev/null & silent=$!
		"$1/udp-target" "$0/port" & echo=$!
		for i in $(seq 500); do
			[ ! -e "$0/port" ] || break
			sleep 0.02
		done
		port=000000017f000001$(printf %04x "$(cat "$0/port")")
		shift
		for word; do
			case $word in
			HEADER*) word=get:$port${word#HEADER} ;;
			PUT*) word=put:$port${word#PUT} ;;
			esac
			set -- "$@" "$word"
			shift
		done
		"$@"
		status=$?
		kill $silent $echo
		exit $status' "$BATS_TEST_TMPDIR" "$HOSTS" \
		"$HOSTS/client" inet "${associate[@]}" "${names[@]}" \
		PUT6869 HEADER6869 children:4 PUT01 HEADER01 close \
		-- "$HANDLER" --log=stderr
	record=$(grep -o 'client=.*' <<<"$stderr")
	echo "$output" "$stderr"
	[ "$status" -eq 0 ]
	has dropped unresolved:100
	has udp_up 2
	has end client-eof
	at_most "$(field duration_ms)" 5000
}

# --- what ends it ---

@test "bytes on the TCP connection are ignored, even more than it takes" {
	start_udp_target
	play inet "${associate[@]}" send:0102030405 fill:8M \
		"put:$(to4 "$port")6869" "get:$(to4 "$port")6869" \
		stopped-cpu:500 close
	has udp_up 1
	has end client-eof
}

@test "the client's half-close is the end" {
	play inet "${associate[@]}" shut eof
	has end client-eof
}

@test "so is its reset" {
	play inet "${associate[@]}" hold:50 abort
	has end client-reset
}

@test "so is the lifetime, whatever comes" {
	start_udp_target
	play inet "${associate[@]}" "put:$(to4 "$port")01" \
		"get:$(to4 "$port")01" closed -- --lifetime=0.5
	has end lifetime
	at_least "$(field duration_ms)" 500
	at_most "$(field duration_ms)" 3000
}

@test "--idle-timeout counts what is relayed, and nothing else" {
	start_udp_target
	local busy=() junk=()

	for i in 1 2 3 4 5 6; do
		busy+=("put:$(to4 "$port")01" hold:300)
		junk+=(put:010203 hold:300)
	done
	play inet "${associate[@]}" "${busy[@]}" "${junk[@]}" closed \
		-- --idle-timeout=1
	has end idle
	at_least "$(field duration_ms)" 2500
	at_most "$(field duration_ms)" 4500
	has udp_up 6
}

@test "and SIGTERM" {
	play inet "${associate[@]}" kill:TERM closed
	has end terminated
}

@test "an association sleeps while nothing comes" {
	play inet "${associate[@]}" stopped-cpu:500 close
}

@test "no descriptor and no child is left behind" {
	start_udp_target
	play inet "${associate[@]}" "put:$(to4 "$port")01" \
		"get:$(to4 "$port")01" "put:$(to_name localhost "$port")02" \
		hold:300 children:0 fds close
	# The connection, standard error, and a socket each way.
	[[ $output == *"fds 0 1 2 3 4"* ]]
	[[ $output != *"fds 0 1 2 3 4 5 6"* ]]
}

# --- options ---

@test "--udp-ports: each port of the range serves one, the next is refused" {
	start_udp_target
	first=$(free_port)
	until ! port_lines self $((first + 1)) && ! port_lines self $((first + 2))
	do
		first=$(free_port)
	done
	range=--udp-ports=$first-$((first + 2))
	for i in 0 1 2; do
		"$HOSTS/client" inet "${associate[@]}" \
			"put:$(to4 "$port")6869" "get:$(to4 "$port")6869" \
			"await:$BATS_TEST_TMPDIR/enough" close -- \
			"$HANDLER" --log=none "$range" \
			>"$BATS_TEST_TMPDIR/client.$i" 3>&- &
		others+=($!)
		clients[i]=$!
		wait_until grep -q '^bnd ' "$BATS_TEST_TMPDIR/client.$i"
	done
	[ "$(sed -n 's/^bnd 127\.0\.0\.1 //p' "$BATS_TEST_TMPDIR"/client.? |
		sort -n | tr '\n' ' ')" = \
		"$first $((first + 1)) $((first + 2)) " ]
	play inet "${greet[@]}" ask:0100000000 reply:01 eof -- "$range"
	has end refused
	has reply 1
	has error "every port that UDP may use is taken"
	# They are those of one address and family.
	play inet6 "${greet[@]}" ask:0400000000000000000000000000000000 \
		associated close -- "$range"
	touch "$BATS_TEST_TMPDIR/enough"
	for i in 0 1 2; do
		wait "${clients[i]}"
	done
	others=("${others[0]}")
	play inet "${associate[@]}" close -- "$range"
}

@test "--udp-advertise: for the clients of each family, the port is our own" {
	start_udp_target
	both=(--udp-advertise=198.51.100.7 --udp-advertise=2001:db8::7)
	on_ipv6=("${greet[@]}" ask:0400000000000000000000000000000000 associated)
	play inet "${associate[@]}" relay:127.0.0.1 "put:$(to4 "$port")6869" \
		"get:$(to4 "$port")6869" close -- "${both[@]}"
	[[ $output == *"bnd 198.51.100.7 "* ]]
	has udp_down 1
	play inet6 "${on_ipv6[@]}" relay:::1 "put:$(to4 "$port")6869" \
		"get:$(to4 "$port")6869" close -- "${both[@]}"
	[[ $output == *"bnd 2001:db8::7 "* ]]
	has udp_down 1
	# None for this family: the truth.
	play inet6 "${on_ipv6[@]}" close -- --udp-advertise=198.51.100.7
	[[ $output == *"bnd ::1 "* ]]
}

# --- many destinations ---

@test "eighty destinations in turn, however they are written" {
	hosts=(017f000001 0400000000000000000000ffff7f000001)
	for name in 127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 \
		0::ffff:127.0.0.1 0:0::ffff:127.0.0.1 \
		0:0:0::ffff:127.0.0.1; do
		host=$(to_name "$name" 0)
		host=${host#000000}
		hosts+=("${host%0000}")
	done
	for i in {1..10}; do
		start_udp_target
		ports+=("$(hex16 "$port")")
	done
	for i in {1..3}; do
		for port in "${ports[@]}"; do
			for host in "${hosts[@]}"; do
				steps+=("put:000000$host${port}0$i$port"
					"get:000000017f000001${port}0$i$port")
			done
		done
	done
	play inet "${associate[@]}" "${steps[@]}" close
	has udp_up 240
	has udp_down 240
	has dropped ''
}

# --- where there is no UDP ---

@test "a client without an IP address is refused with 07, and the record says why" {
	for kind in unix socketpair pipes; do
		play "$kind" "${greet[@]}" send:05030001000000000000 reply:07 eof
		has reply 7
		has end refused
		has error "UDP needs a client with an IP address"
	done
}

# --- real networks ---

# start_network: a client's, a proxy's and a target's namespace, each with an
# address of its own, two wires, and no route past the proxy.
start_network()
{
	need ip nsenter socat
	need_namespaces
	# From one user namespace, so that the wires can be laid.
	unshare -rn sh -c '
		hold()
		{
			unshare -n sleep 60 & eval $1=$!
			eval "for i in \$(seq 500); do
				[ \"\$(readlink /proc/\$$1/ns/net)\" = \
					\"\$(readlink /proc/self/ns/net)\" ] || break
				sleep 0.02
			done"
		}
		inside()
		{
			nsenter -n -t "$@"
		}
		hold client
		hold target
		ip link set lo up
		ip link add c0 type veth peer name p0
		ip link set p0 netns $client
		ip link add t0 type veth peer name p0
		ip link set p0 netns $target
		ip address add 192.0.2.1/24 dev c0
		ip address add 198.51.100.1/24 dev t0
		ip address add 2001:db8:1::1/64 dev c0 nodad
		ip address add 2001:db8:2::1/64 dev t0 nodad
		ip link set c0 up
		ip link set t0 up
		inside $client ip link set lo up
		inside $client ip address add 192.0.2.2/24 dev p0
		inside $client ip address add 192.0.2.3/24 dev p0
		inside $client ip address add 2001:db8:1::2/64 dev p0 nodad
		inside $client ip link set p0 up
		inside $target ip address add 198.51.100.2/24 dev p0
		inside $target ip address add 2001:db8:2::2/64 dev p0 nodad
		inside $target ip link set p0 up
		trap "kill $client $target; wait" TERM
		echo $client $target >"$0.new"
		mv "$0.new" "$0"
		wait' "$BATS_TEST_TMPDIR/network" 3>&- &
	proxy=$!
	others+=("$proxy")
	wait_until test -e "$BATS_TEST_TMPDIR/network"
	read -r client target <"$BATS_TEST_TMPDIR/network"
	at_proxy=(nsenter -U -n --preserve-credentials -t "$proxy")
	at_client=(nsenter -U -n --preserve-credentials -t "$client")
	at_target=(nsenter -U -n --preserve-credentials -t "$target")
	target= # not a child of ours
}

@test "between networks, IPv4 and IPv6 either way" {
	start_network
	in_there=("${at_target[@]}")
	start_udp_target -a 198.51.100.2
	four=$(to4 "$port" c6336402)
	start_udp_target -a 2001:db8:2::2
	six=0000000420010db8000200000000000000000002$(hex16 "$port")
	in_there=("${at_proxy[@]}")
	for address in 192.0.2.1 2001:db8:1::1; do
		[[ $address != *:* ]] || address=[$address]
		start_listener "$address"
		place=tcp:$address:$listener
		run --separate-stderr "${at_client[@]}" "$HOSTS/client" \
			"$place" "${associate[@]}" "put:${four}6869" \
			"get:${four}6869" "put:${six}686a" "get:${six}686a" \
			"put:${four}+8000" "get:${four}+8000" close
		echo "$output" "$stderr"
		[ "$status" -eq 0 ]
		address=${address#[}
		[[ $output == *"bnd ${address%]} "* ]]
	done
	# And the targets saw the proxy's own addresses.
	grep -q "^got 2001:db8:2::1 " "$udp_out"
	# A burst, cut by this device and not by loopback; and another host.
	run --separate-stderr "${at_client[@]}" "$HOSTS/client" "$place" \
		"${associate[@]}" "puts:$four+100" "gets:$four+100" close
	echo "$output" "$stderr"
	[ "$status" -eq 0 ]
	start_listener 192.0.2.1
	run --separate-stderr "${at_client[@]}" "$HOSTS/client" \
		"tcp:192.0.2.1:$listener" "${associate[@]}" udp:192.0.2.3 \
		"put:${four}01" udp:192.0.2.2 "put:${four}02" "get:${four}02" \
		silent:50 close
	echo "$output" "$stderr"
	[ "$status" -eq 0 ]
	wait_until grep -q 'dropped=stranger:1' "$BATS_TEST_TMPDIR/listener.log"
}

@test "a connection from another network namespace is refused, with words" {
	start_network
	# socat listens in the client's network, and the handler runs in ours.
	listener=$(free_port)
	"${at_client[@]}" socat \
		"TCP-LISTEN:$listener,bind=192.0.2.2,reuseaddr,fork" \
		"EXEC:nsenter -n -t $proxy $HANDLER --log=stderr --open,nofork" \
		2>"$BATS_TEST_TMPDIR/listener.log" 3>&- &
	others+=($!)
	wait_until port_lines "$client" "$listener"
	run --separate-stderr "${at_client[@]}" "$HOSTS/client" \
		"tcp:192.0.2.2:$listener" "${greet[@]}" ask:0100000000 \
		reply:07 eof
	echo "$output" "$stderr"
	[ "$status" -eq 0 ]
	wait_until grep -q 'another network namespace' \
		"$BATS_TEST_TMPDIR/listener.log"
}

# --- real clients ---

@test "PySocks" {
	need /usr/bin/python3
	/usr/bin/python3 -c 'import socks' || unavailable "PySocks is missing"
	start_udp_target
	start_listener 127.0.0.1
	timeout 20 /usr/bin/python3 -c '
import socks, sys
s = socks.socksocket(type=socks.socket.SOCK_DGRAM)
s.set_proxy(socks.SOCKS5, "127.0.0.1", int(sys.argv[1]))
s.settimeout(10)
for name in "127.0.0.1", "localhost":
    for size in 0, 1, 1400, 20000:
        payload = bytes(i % 251 for i in range(size))
        s.sendto(payload, (name, int(sys.argv[2])))
        answer, sender = s.recvfrom(65536)
        assert answer == payload, (name, size)
        assert sender == ("127.0.0.1", int(sys.argv[2])), sender
s.close()' "$listener" "$port"
	wait_until grep -q 'udp_up=8 udp_down=8 .*end=client-eof' \
		"$BATS_TEST_TMPDIR/listener.log"
}

@test "dante's socksify, with a program that knows nothing of it" {
	need socksify
	start_network
	in_there=("${at_target[@]}")
	start_udp_target -a 198.51.100.2
	in_there=("${at_proxy[@]}")
	start_listener 192.0.2.1
	cat >"$BATS_TEST_TMPDIR/socks.conf" <<-END
		route {
			from: 0.0.0.0/0 to: 0.0.0.0/0 via: 192.0.2.1 port = $listener
			proxyprotocol: socks_v5
			protocol: udp
			command: udpassociate
			method: none
		}
	END
	SOCKS_CONF=$BATS_TEST_TMPDIR/socks.conf run timeout 20 \
		"${at_client[@]}" socksify /usr/bin/python3 -c '
import socket, sys
s = socket.socket(type=socket.SOCK_DGRAM)
s.settimeout(10)
for size in 1, 1400, 20000:
    s.sendto(b"x" * size, ("198.51.100.2", int(sys.argv[1])))
    answer, sender = s.recvfrom(65536)
    assert answer == b"x" * size, size
    assert sender == ("198.51.100.2", int(sys.argv[1])), sender
print("all came back")' "$port"
	echo "$output"
	cat "$BATS_TEST_TMPDIR/listener.log"
	[[ $output == *"all came back"* ]]
	wait_until grep -q 'udp_up=3 udp_down=3 ' \
		"$BATS_TEST_TMPDIR/listener.log"
}

@test "node's socks" {
	need node
	export NODE_PATH=/usr/share/nodejs # where Debian has them
	node -e 'require("socks")' || unavailable "node-socks is missing"
	start_udp_target
	start_listener 127.0.0.1
	timeout 20 node -e '
const {SocksClient} = require("socks");
const dgram = require("dgram");
const [proxy, target] = process.argv.slice(1).map(Number);
const udp = dgram.createSocket("udp4");
const client = new SocksClient({
	proxy: {host: "127.0.0.1", port: proxy, type: 5},
	command: "associate",
	destination: {host: "0.0.0.0", port: 0},
});
const payloads = [Buffer.from("hi"), Buffer.alloc(1400, 7),
    Buffer.alloc(20000, 9)];
let relay, socket, back = 0;
function next() {
	udp.send(SocksClient.createUDPFrame({
		remoteHost: {host: back % 2 ? "localhost" : "127.0.0.1",
		    port: target},
		data: payloads[back],
	}), relay.port, relay.host);
}
client.on("error", (e) => { throw e; });
client.on("established", (info) => {
	relay = info.remoteHost;
	socket = info.socket;
	next();
});
udp.on("message", (message) => {
	const frame = SocksClient.parseUDPFrame(message);
	if (frame.remoteHost.host !== "127.0.0.1" ||
	    frame.remoteHost.port !== target ||
	    !frame.data.equals(payloads[back]))
		throw new Error("not what was sent");
	if (++back < payloads.length)
		return next();
	socket.end();
	udp.close();
});
client.connect();' "$listener" "$port"
	wait_until grep -q 'udp_up=3 udp_down=3 .*end=client-eof' \
		"$BATS_TEST_TMPDIR/listener.log"
}

# start_openvpn NAME OPTION...: one end of a tunnel, in the network that
# $in_there enters; it knows the other by its certificate.
start_openvpn()
{
	local name=$1 peer=server

	[ "$name" = client ] || peer=client
	"${in_there[@]}" openvpn --dev tun --proto udp --verb 3 \
		--cert "$BATS_TEST_TMPDIR/$name.crt" \
		--key "$BATS_TEST_TMPDIR/$name.key" --peer-fingerprint \
		"$(openssl x509 -in "$BATS_TEST_TMPDIR/$peer.crt" -noout \
			-fingerprint -sha256 | cut -d = -f 2)" "${@:2}" \
		>"$BATS_TEST_TMPDIR/$name.log" 2>&1 3>&- &
	others+=($!)
}

@test "OpenVPN over UDP, by its socks-proxy" {
	need openvpn openssl busybox
	[ -w /dev/net/tun ] || unavailable "no /dev/net/tun to open"
	start_network
	for name in client server; do
		openssl req -x509 -newkey ec -nodes -days 2 -subj "/CN=$name" \
			-pkeyopt ec_paramgen_curve:prime256v1 \
			-keyout "$BATS_TEST_TMPDIR/$name.key" \
			-out "$BATS_TEST_TMPDIR/$name.crt" 2>/dev/null
	done
	in_there=("${at_proxy[@]}")
	start_listener 192.0.2.1
	in_there=("${at_target[@]}")
	start_openvpn server --local 198.51.100.2 --tls-server --dh none \
		--ifconfig 10.8.0.1 10.8.0.2
	in_there=("${at_client[@]}")
	# With a login it offers no other method; nobody here checks it.
	printf 'alice\nsecret\n' >"$BATS_TEST_TMPDIR/login"
	chmod 600 "$BATS_TEST_TMPDIR/login"
	start_openvpn client --remote 198.51.100.2 1194 --nobind --tls-client \
		--socks-proxy 192.0.2.1 "$listener" "$BATS_TEST_TMPDIR/login" \
		--ifconfig 10.8.0.2 10.8.0.1
	for name in client server; do
		wait_until grep -q 'Initialization Sequence Completed' \
			"$BATS_TEST_TMPDIR/$name.log"
	done
	"${at_client[@]}" busybox ping -c 1 -W 10 10.8.0.1
	"${at_target[@]}" "$HOSTS/target" -a 10.8.0.1 -l 30 \
		"$BATS_TEST_TMPDIR/port" exchange:1M shut eof 3>&- &
	others+=($!)
	wait_until test -e "$BATS_TEST_TMPDIR/port"
	"${at_client[@]}" "$HOSTS/client" -l 30 \
		"tcp:10.8.0.1:$(cat "$BATS_TEST_TMPDIR/port")" \
		exchange:1M shut eof
	wait "${others[-1]}"
	unset 'others[-1]' # so that nobody ends what has its number by then
	end_process "${others[-1]}"
	unset 'others[-1]'
	wait_until grep -q 'end=client-' "$BATS_TEST_TMPDIR/listener.log"
	record=$(cat "$BATS_TEST_TMPDIR/listener.log")
	echo "$record"
	has command UDP_ASSOCIATE
	has ident alice
	at_least "$(field bytes_up)" 1048576
	at_least "$(field bytes_down)" 1048576
}
