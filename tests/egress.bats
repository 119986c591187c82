#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Where it comes out: source, interface, mark, family, rate, and an upstream.

load remote
load datagram

setup_file()
{
	start_remote
}

teardown_file()
{
	stop_remote
}

setup()
{
	skip_if_left_out
}

teardown()
{
	stop_udp_targets
	stop_superservers
	handler_teardown
}

url=http://192.0.2.2:8080/file

# comes_from [OPTION...]: a local client's connection; the address that the
# other host sees is in $seen_from.
comes_from()
{
	there "$HOSTS/target" -a 192.0.2.2 "$BATS_TEST_TMPDIR/far.port" \
		text:hello eof >"$BATS_TEST_TMPDIR/far" 3>&- &
	far=$!
	wait_until [ -s "$BATS_TEST_TMPDIR/far.port" ]
	port=$(cat "$BATS_TEST_TMPDIR/far.port")
	rm "$BATS_TEST_TMPDIR/far.port"
	play inet "${greet[@]}" "send:$(request4 "$port" 192.0.2.2)" \
		reply:00 expect:hello shut eof -- "$@"
	wait "$far"
	# What the client was told: BND.ADDR.
	seen_from=$(sed -n 's/^bnd \([^ ]*\) .*/\1/p' <<<"$output")
}

@test "--source, and a family without one is not used" {
	comes_from
	[ "$seen_from" = 192.0.2.1 ]
	comes_from --source=192.0.2.3
	[ "$seen_from" = 192.0.2.3 ]
	comes_from --source=2001:db8::1 --source=192.0.2.3
	[ "$seen_from" = 192.0.2.3 ]
	play inet "${greet[@]}" "send:$(request4 8080 192.0.2.2)" reply:01 eof -- \
		--source=198.51.100.99
	has end error
	[[ $(field error) == "source=198.51.100.99 "* ]]
}

@test "--source=same is the address that the client has reached" {
	serve --open --source=same
	there "$HOSTS/client" tcp:192.0.2.3:1080 "${greet[@]}" \
		"send:$(request4 8080 192.0.2.2)" reply:00 shut eof |
		grep '^bnd 192\.0\.2\.3 '
	recorded served
	play pipes "${greet[@]}" "send:$(request4 8080 192.0.2.2)" reply:01 eof -- \
		--source=same
	has error "source=same needs a client that comes by TCP"
}

@test "--interface and --mark" {
	comes_from --interface=here
	[ "$seen_from" = 192.0.2.1 ]
	play inet "${greet[@]}" "send:$(request4 8080 192.0.2.2)" reply:01 eof -- \
		--interface=nowhere
	[[ $(field error) == "interface=nowhere: "* ]]
	need_root "mark packets"
	# What is marked is not to leave.
	ip rule add fwmark 42 unreachable
	comes_from --mark=7
	play inet "${greet[@]}" "send:$(request4 8080 192.0.2.2)" reply:03 eof -- \
		--mark=42
	ip rule del fwmark 42
	run --separate-stderr "$HOSTS/client" inet "${greet[@]}" \
		"send:$(request4 8080 192.0.2.2)" reply:01 eof -- \
		setpriv --bounding-set -net_admin,-net_raw "$HANDLER" --log=stderr \
		--mark=7
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[[ $stderr == *'error="mark=7 needs CAP_NET_ADMIN"'* ]]
}

# listen_for_tos: of each packet that has come to the other host since
# then, a line in $tos: the IP version, the protocol and the TOS
listen_for_tos()
{
	tos=$BATS_TEST_TMPDIR/tos
	rm -f "$tos" # or it would be the one before that is listening
	nsenter -t "$remote" -n /usr/bin/python3 - >"$tos" 3>&- <<-END &
		import socket
		s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
		print("listening", flush=True)
		while True:
		    p, (_, _, kind, *_) = s.recvfrom(65535)
		    if kind != socket.PACKET_OUTGOING and p[0] >> 4 == 4:
		        print("ipv4", p[9], "%02x" % p[1], flush=True)
		    elif kind != socket.PACKET_OUTGOING and p[0] >> 4 == 6:
		        print("ipv6", p[6], "%x%x" % (p[0] & 15, p[1] >> 4), flush=True)
	END
	others+=($!)
	wait_until grep -q listening "$tos"
}

# only_tos VERSION PROTOCOL TOS: such packets came, and none of another TOS
only_tos()
{
	wait_until grep -qx "$1 $2 $3" "$tos"
	cat "$tos"
	run ! grep "^$1 $2 " <(grep -vx "$1 $2 $3" "$tos")
	end_process "${others[-1]}"
	unset 'others[-1]'
}

@test "--tos, and tos= in a rule, in the packets of connections and datagrams" {
	need /usr/bin/python3
	need_root "look at packets"
	listen_for_tos
	play inet "${greet[@]}" "send:$(request4 8080 192.0.2.2)" reply:00 shut \
		eof -- --tos=0xb8
	only_tos ipv4 6 b8
	listen_for_tos
	play inet "${greet[@]}" \
		send:0501000420010db80000000000000000000000021f90 \
		reply:00 shut eof -- --tos=184
	only_tos ipv6 6 b8
	listen_for_tos
	play inet "${greet[@]}" "send:$(request4 8080 192.0.2.2)" reply:00 shut eof
	only_tos ipv4 6 00
	rules=$BATS_TEST_TMPDIR/rules
	printf '%s\n' 'allow command=udp to any tos=0x28' 'allow to any tos=8' \
		>"$rules"
	chmod 644 "$rules"
	listen_for_tos
	play inet "${greet[@]}" "send:$(request4 8080 192.0.2.2)" reply:00 shut \
		eof -- --rules="$rules" --tos=16
	only_tos ipv4 6 08
	listen_for_tos
	in_there=(nsenter -t "$remote" -n)
	start_udp_target -a 192.0.2.2
	play inet "${associate[@]}" "put:$(to4 "$port" c0000202)6869" \
		"get:$(to4 "$port" c0000202)6869" close -- --rules="$rules"
	only_tos ipv4 17 28
	run "$HANDLER" --check --tos=256
	[ "$status" -eq 64 ]
	[[ $output == *"--tos=256: not a TOS; write a number up to 255, such as 16 or 0x10" ]]
	run "$HANDLER" --rules="$rules" --explain 192.0.2.2 8080
	[[ $output == *", tos 8"* ]]
}

@test "--prefer" {
	need_namespaces
	printf '%s\n' '192.0.2.2 both.test' '2001:db8::2 both.test' \
		>"$BATS_TEST_TMPDIR/hosts"
	printf 'hosts: files\n' >"$BATS_TEST_TMPDIR/nsswitch.conf"
	for family in ipv4 ipv6; do
		within=(unshare -m sh -c 'for file in hosts nsswitch.conf; do
			mount --bind "$0/$file" "/etc/$file"; done
			exec "$@"' "$BATS_TEST_TMPDIR")
		serve --open --prefer="$family"
		run get http://both.test:8080/file
		[ "$output" = "far away" ]
		seen=0
		recorded served
		case $family in
		ipv4) has address 192.0.2.2:8080 ;;
		ipv6) has address '[2001:db8::2]:8080' ;;
		esac
		stop_superservers
	done
	run "$HANDLER" --prefer=ipv5 --check
	[ "$status" -eq 64 ]
	[[ $output == *"--prefer=ipv5: not one of ipv4|ipv6; write for example --prefer=ipv4"* ]]
}

@test "--rate bounds a download" {
	head -c 3M /dev/zero >"$web_root/big"
	serve --open --rate=2000000
	before=$EPOCHREALTIME
	run get http://192.0.2.2:8080/big -o /dev/null
	[ "$status" -eq 0 ]
	# 1.5 s, but for what goes out at once; without, some 10 ms.
	((${EPOCHREALTIME/./} - ${before/./} > 700000))
	recorded served
}

# took COMMAND...: how long, in milliseconds, in $took.
took()
{
	local before=${EPOCHREALTIME/./}

	"$@"
	took=$(((${EPOCHREALTIME/./} - before) / 1000))
	echo "$kind: $took ms"
}

# TCP is paced by the kernel, but for the first ten segments, which are large
# here; from what can't be paced we read no faster.
@test "--rate holds whatever the client is, both ways" {
	kinds=(inet unix pipes pipe-inet)
	[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" != 1 ] ||
		kinds+=(mptcp)
	for kind in "${kinds[@]}"; do
		start_target check:1 pattern:1500K shut eof
		took play "$kind" "${greet[@]}" "send:$(request4 "$port")" \
			reply:00 pattern:1 check:1500K eof shut -- --rate=2500000
		target_held
		at_least "$took" 300
	done
	start_target check:1500K eof
	took play pipes "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		pattern:1500K shut eof -- --rate=2500000
	target_held
	at_least "$took" 300
}

@test "--rate: what was sent with the request counts, and idle is idle" {
	for kind in unix pipes; do
		start_target expect:abcd text:abcd eof
		# A byte in 0.2 s, which is not to be idle.
		took play "$kind" "${greet[@]}" \
			"send:$(request4 "$port")$(hex_of abcd)" reply:00 \
			expect:abcd shut eof -- --rate=5 \
			--idle-timeout=0.1
		has end client-eof
		at_least "$took" 700
		target_held
	done
}

# --- an upstream ----------------------------------------------------------

# start_upstream HANDLEROPTION...: a second one, on this host's port 1090
start_upstream()
{
	local -a command

	copy_program
	SERVER_LOG=$BATS_TEST_TMPDIR/upstream.log
	superserver_command systemd-socket-activate-inetd 127.0.0.1:1090 \
		--log=stderr "$@"
	start_listening 1090 "${command[@]}"
}

# through REQUEST REP [OPTION...]: what a local client is answered
through()
{
	play inet "${greet[@]}" "send:$1" "reply:$2" shut closed -- \
		--upstream="${upstream:-socks5://127.0.0.1:1090}" "${@:3}"
}

@test "--upstream: names go there unresolved, and its REP comes back" {
	start_upstream
	start_target eof
	through "$(request4 "$port")" 00
	target_held
	has end client-eof
	has address 127.0.0.1:1090
	through "$(request_name nowhere.invalid 80)" 04
	has end upstream
	has error "upstream: it answered 4"
	wait_until grep -q 'target=nowhere.invalid:80' "$SERVER_LOG"
	through "$(request4 1)" 05
	has end upstream
}

@test "--upstream with --rules: no line about addresses matches a name" {
	rules=$BATS_TEST_TMPDIR/rules
	printf '%s\n' 'deny to internal, 127.0.0.0/8 port 1-65535' \
		'allow to localhost' >"$rules"
	chmod 644 "$rules"
	start_upstream
	start_target eof
	through "$(request_name localhost "$port")" 00 --rules="$rules"
	target_held
	has end client-eof
	through "$(request4 "$port")" 02 --rules="$rules"
	has end refused
	has error "denied by $rules:1"
	through "$(request_name other.test "$port")" 02 --rules="$rules"
	has error "no line of $rules allows it"
	# The upstream has heard of the first one only.
	wait_until has_records 1
}

@test "--upstream with --rules: a number is the address that it is" {
	rules=$BATS_TEST_TMPDIR/rules
	printf '%s\n' 'deny to internal' 'allow to any' >"$rules"
	chmod 644 "$rules"
	start_upstream
	for host in 127.0.0.1 127.1 0x7f.1 2130706433 0xa9fea9fe 127.0.0.1. \
		0177.1 0 ::1 '[::1]' ::1%lo ::ffff:127.0.0.1; do
		through "$(request_name "$host" 1)" 02 --rules="$rules"
		has error "denied by $rules:1"
		has target "$host:1"
	done
	# What was judged is what the upstream is asked for.
	echo 'allow to 127.0.0.0/8' >"$rules"
	start_target eof
	through "$(request_name 0x7f.1 "$port")" 00 --rules="$rules"
	target_held
	has target "0x7f.1:$port"
	wait_for_records 1
	has target "127.0.0.1:$port"
}

@test "--upstream with a password, right and wrong" {
	printf 'alice:%s\n' "$(openssl passwd -6 'se:cret')" \
		>"$BATS_TEST_TMPDIR/users"
	chmod 600 "$BATS_TEST_TMPDIR/users"
	echo 'allow user=alice to internal' >"$BATS_TEST_TMPDIR/rules"
	start_upstream --users="$BATS_TEST_TMPDIR/users" \
		--rules="$BATS_TEST_TMPDIR/rules"
	start_target eof
	upstream=socks5://alice:se%3Acret@127.0.0.1:1090
	through "$(request4 "$port")" 00
	target_held
	upstream=socks5://alice:wrong@127.0.0.1:1090
	through "$(request4 1)" 01
	has end upstream
	has error "upstream: it doesn't take the user and password"
	echo se:cret >"$BATS_TEST_TMPDIR/password"
	chmod 600 "$BATS_TEST_TMPDIR/password"
	upstream=socks5://alice@127.0.0.1:1090
	start_target eof
	through "$(request4 "$port")" 00 \
		--upstream-password="$BATS_TEST_TMPDIR/password"
	target_held
}

@test "an upstream that refuses, is silent, or is something else" {
	through "$(request4 1)" 01
	has end upstream
	has error "upstream: Connection refused"
	start_target hold:3000
	upstream=socks5://127.0.0.1:$port
	through "$(request4 1)" 01 --connect-timeout=0.3
	has end upstream
	has error "upstream: it is silent"
	handler_teardown
	start_target text:HTTP/1.0 hold:200
	upstream=socks5://127.0.0.1:$port
	through "$(request4 1)" 01
	has error "upstream: it doesn't speak SOCKS5"
}

@test "--upstream is for CONNECT: other commands are refused, with words" {
	for request in 05020001c00002020000 05030001000000000000 \
		05f00001c00002020000 05f10001c00002020000; do
		through $request 07 --resolve
		has end refused
		has error "--upstream is asked for CONNECT alone"
	done
	play inet send:040200507f00000100 recv:005b000000000000 eof -- \
		--upstream=socks5://127.0.0.1:1090
	has reply 7
}

@test "a URL that is none is not repeated: there may be a password in it" {
	for url in http://alice:secret@host socks5://alice:secret@ \
		socks5://alice:secret@host:x; do
		run "$HANDLER" --upstream="$url" --check
		echo "$output"
		[ "$status" -eq 64 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == "socks5-handler: --upstream: "* ]]
		[[ $output != *secret* ]]
	done
}
