#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# RFC 1928 on the wire: methods, requests, replies, and how they are split.

load handler

teardown()
{
	handler_teardown
}

# A CONNECT in these bytes gets this REP, in a complete reply, and the end.
refused_with()
{
	play inet "${greet[@]}" "send:$1" "reply:$2" eof
	has reply "$((16#$2))"
}

@test "CONNECT by IPv4, IPv6 and name: payload both ways" {
	for family in 4 6 name; do
		target_options=()
		[ $family != 6 ] || target_options=(-6)
		start_target expect:ping text:pong eof
		case $family in
		4) request=$(request4 "$port") ;;
		6) request=$(request6 "$port") ;;
		name) request=$(request_name localhost "$port") ;;
		esac
		play inet "${greet[@]}" "send:$request" reply:00 text:ping \
			expect:pong shut eof
		target_held
		has reply 0
		has bytes_up 4
		has bytes_down 4
	done
}

@test "a success reply carries the outgoing socket's own address" {
	start_target eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 shut eof
	target_held
	bound=$(sed -n 's/^bnd //p' <<<"$output")
	seen=$(sed -n 's/^peer //p' "$BATS_TEST_TMPDIR/target.out")
	[ -n "$bound" ]
	[ "$bound" = "$seen" ]
}

@test "an IPv6 success reply is 22 bytes with the socket's own address" {
	target_options=(-6)
	start_target eof
	play inet "${greet[@]}" "send:$(request6 "$port")" reply:00 shut eof
	target_held
	[ "$(sed -n 's/^bnd //p' <<<"$output")" = \
		"$(sed -n 's/^peer //p' "$BATS_TEST_TMPDIR/target.out")" ]
}

@test "an IPv4-mapped target is dialled and shown as IPv4" {
	start_target eof
	play inet "${greet[@]}" \
		"send:0501000400000000000000000000ffff7f000001$(hex16 "$port")" \
		reply:00 shut eof
	target_held
	[[ $output == *"bnd 127.0.0.1 "* ]]
	has address "127.0.0.1:$port"
	has target "[::ffff:127.0.0.1]:$port"
}

@test "an error reply is ten bytes with 0.0.0.0:0, for an IPv6 target too" {
	play inet "${greet[@]}" "send:$(request6 1)" \
		recv:05050001000000000000 eof
}

@test "greeting, request and payload split at every byte" {
	start_target expect:ping text:pong eof
	play inet "split:050100$(request4 "$port")$(hex_of ping)" recv:0500 \
		reply:00 expect:pong shut eof
	target_held
	has bytes_up 4
}

@test "greeting, request and payload glued into one segment" {
	start_target expect:ping text:pong eof
	play inet "send:050100$(request_name localhost "$port")$(hex_of ping)" \
		recv:0500 reply:00 expect:pong shut eof
	target_held
	has bytes_up 4
}

@test "payload sent before the reply goes out first, and in order" {
	start_target check:300K eof text:done
	play inet "send:050100$(request4 "$port")" pattern:300K shut \
		recv:0500 reply:00 expect:done eof
	target_held
	has bytes_up 307200
}

@test "the reply is sent before the target says anything, and alone" {
	go=$BATS_TEST_TMPDIR/go
	start_target "await:$go" text:hello eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 quiet:100 \
		"touch:$go" expect:hello shut eof
	target_held
}

@test "a target that speaks first: nothing of it before the reply" {
	start_target text:SSH-2.0-x eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		expect:SSH-2.0-x shut eof
	target_held
}

@test "methods: none in common is 05 FF, once, and the end" {
	for methods in 0101 0180 01ff 020103; do
		play inet "send:05$methods" recv:05ff eof
		has end no-method
		[ -z "$(field reply)" ]
	done
}

@test "methods: NMETHODS 0 is none in common, not a reason to wait" {
	play inet send:0500 recv:05ff eof
	has end no-method
}

@test "methods: 00 is chosen from any place among 255, exactly once" {
	start_target eof
	others=$(printf '%0508d' 0 | sed 's/00/02/g')
	play inet "send:05ff${others}00" recv:0500 "send:$(request4 "$port")" \
		reply:00 shut eof
	target_held
}

@test "methods: curl's and PuTTY's lists" {
	for methods in 02 0001 000102 000302 0200 010002; do
		count=$((${#methods} / 2))
		case $methods in
		02) answer=0502 ;; # see access.bats
		*) answer=0500 ;;
		esac
		play inet "send:$(printf '05%02x%s' $count $methods)" \
			recv:$answer close
	done
}

@test "what is no SOCKS5 greeting is 05 FF and the end" {
	for bytes in 060101bb7f00000100 474554202f20485454502f312e310d0a0d0a \
		1603010200 00; do
		play inet "send:$bytes" recv:05ff eof
		has end malformed
		has error "not SOCKS5"
	done
}

@test "a request with another version is REP 01" {
	refused_with 040100017f0000010050 01
	has end malformed
}

@test "RSV is not looked at" {
	start_target eof
	play inet "${greet[@]}" "send:0501ff017f000001$(hex16 "$port")" \
		reply:00 shut eof
	target_held
}

@test "unknown commands are REP 07, and so are look-ups without --resolve" {
	for command in 00 04 f2 ff; do
		refused_with "05${command}00017f0000010050" 07
		has end refused
		has error "command not supported"
	done
	has command unknown
	for command in f0 f1; do
		refused_with "05${command}00017f0000010050" 07
		has end refused
		has error "command not supported without --resolve"
	done
	has command RESOLVE_PTR
}

@test "unknown address types are REP 08, without waiting for more" {
	for atyp in 00 02 05 ff; do
		refused_with "050100$atyp" 08
		has end malformed
	done
}

@test "names that a resolver would cut short or misread are REP 01" {
	refused_with 05010003000050 01                # empty
	refused_with 05010003036100620050 01          # a NUL b
	has target 'a\x00b:80'
	refused_with 0501000303610a620050 01          # newline
	has target 'a\x0ab:80'
	refused_with 05010003036120620050 01          # space
	has target 'a\x20b:80'
	refused_with 05010003017f0050 01              # DEL
	has error "not a host name"
}

@test "a name with a NUL never connects to the part before it" {
	start_target eof
	name=$(hex_of localhost)002e$(hex_of example.org)
	play inet "${greet[@]}" \
		"send:05010003$(printf %02x $((${#name} / 2)))$name$(hex16 "$port")" \
		reply:01 eof
	[ ! -s "$BATS_TEST_TMPDIR/target.out" ]
}

@test "a name that is an address literal is dialled as that address" {
	start_target eof
	play inet "${greet[@]}" "send:$(request_name 127.0.0.1 "$port")" \
		reply:00 shut eof
	target_held
	has target "127.0.0.1:$port"
	has address "127.0.0.1:$port"
	target_options=(-6)
	start_target eof
	play inet "${greet[@]}" "send:$(request_name ::1 "$port")" reply:00 \
		shut eof
	target_held
	has address "[::1]:$port"
}

@test "a name of 255 bytes is looked up whole and is not found" {
	name=$(printf 'a%.0s' {1..63}).$(printf 'b%.0s' {1..63}).
	name+=$(printf 'c%.0s' {1..63}).$(printf 'd%.0s' {1..55}).invalid
	[ ${#name} -eq 255 ]
	play inet "${greet[@]}" "send:$(request_name "$name" 80)" reply:04 eof
	has target "$name:80"
}

@test "a refusal is read by a client that has sent much more already" {
	# Without a lingering close, the unread bytes turn into a reset that
	# overtakes the reply.
	play inet "send:050100$(request4 1)" pattern:100K hold:200 recv:0500 \
		reply:05 shut eof
	play inet send:0600 pattern:100K hold:200 recv:05ff shut eof
}

@test "after a refusal nothing but the end follows, within ten seconds" {
	play -l 9 inet "${greet[@]}" "send:$(request4 1)" reply:05 eof wait
}

@test "a client that leaves in the middle of the handshake" {
	play inet close
	has end client-eof
	[ -z "$(field reply)" ]
	play inet send:0501 close
	has end client-eof
	play inet "${greet[@]}" send:0501 abort
	has end client-reset
}

@test "a half-closed client whose request is complete is served" {
	start_target expect:ping text:pong eof
	play inet "send:050100$(request4 "$port")$(hex_of ping)" shut recv:0500 \
		reply:00 expect:pong eof
	target_held
	has end client-eof
}

@test "the whole conversation over every kind of connection" {
	for kind in inet inet6 unix socketpair pipes pipe-socket socket-pipe \
		pipe-inet inet-pipe; do
		start_target expect:ping text:pong eof
		play $kind "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			text:ping expect:pong shut eof
		target_held
		has reply 0
		# A refusal too.
		play $kind "${greet[@]}" "send:$(request4 1)" reply:05 eof
	done
}
