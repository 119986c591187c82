#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Names with several addresses, of which some can't be had: by CONNECT, for
# datagrams, and for look-ups.

# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

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
	in_there=(there)
}

teardown()
{
	stop_udp_targets
	stop_superservers
	[ -z "${names:-}" ] || end_process "$names"
	handler_teardown
}

# connect NAME PORT, resolve NAME: requests
connect()
{
	printf '05010003%02x%s%s' "${#1}" "$(hex_of "$1")" "$(hex16 "$2")"
}

resolve()
{
	printf '05f00003%02x%s0000' "${#1}" "$(hex_of "$1")"
}

# far PORT [PAYLOAD]: what comes from 192.0.2.2
far()
{
	echo "00000001c0000202$(hex16 "$1")${2:-6869}"
}

@test "AAAA that is never answered for holds up nobody" {
	start_udp_target -a 192.0.2.2
	start_names -4 192.0.2.2
	serve --open --resolve
	asks "${greet[@]}" "send:$(connect slow.test 8080)" reply:00 shut eof
	recorded served
	has address 192.0.2.2:8080
	at_most "$(field connect_ms)" 5000 # it took 10 s
	asks "${greet[@]}" "send:$(resolve slow.test)" \
		recv:05000001c00002020000 eof
	recorded answered
	at_most "$(field connect_ms)" 5000
	asks "${associate[@]}" "put:$(to_name slow.test "$port")6869" \
		"get:$(far "$port")" close
	recorded served
	at_most "$(field duration_ms)" 5000
}

@test "names that nobody answers for hold up no other's datagrams" {
	local i steps=()

	start_udp_target -a 192.0.2.2
	start_names 192.0.2.2
	serve --open
	for i in 1 2 3 4; do
		steps+=("put:$(to_name "silent$i.test" "$port")6869")
	done
	for i in 1 2 3 4 5 6 7 8; do
		steps+=("put:$(to_name "good$i.test" "$port")6869")
	done
	for i in 1 2 3 4 5 6 7 8; do
		steps+=("get:$(far "$port")")
	done
	asks "${associate[@]}" "${steps[@]}" close
	recorded served
	has udp_up 8
	has dropped unresolved:4
	at_most "$(field duration_ms)" 5000
}

@test "of sixty-four names at once none is lost" {
	local i steps=()

	start_udp_target -a 192.0.2.2
	start_names 192.0.2.2
	serve --open
	for i in {1..64}; do
		steps+=("put:$(to_name "good$i.test" "$port")6869")
	done
	for i in {1..64}; do
		steps+=("get:$(far "$port")")
	done
	asks "${associate[@]}" "${steps[@]}" close
	recorded served
	has udp_up 64
	has dropped ""
}

@test "--prefer holds for datagrams, too" {
	start_udp_target -a ::
	start_names 2001:db8::2,192.0.2.2
	serve --open --prefer=ipv4
	asks "${associate[@]}" "put:$(to_name both.test "$port")6869" \
		"get:$(far "$port")" close
	recorded served
	serve_anew --open --prefer=ipv6
	asks "${associate[@]}" "put:$(to_name both.test "$port")6869" \
		"get:$(to6 "$port" 20010db8000000000000000000000002)6869" close
	recorded served
}

@test "the next address when nobody listens on the first" {
	start_udp_target -a 192.0.2.4
	# What getaddrinfo(3) puts first is nearer to where we are.
	start_names 192.0.2.2,192.0.2.4
	serve --open
	asks "${associate[@]}" "put:$(to_name two.test "$port")6869" hold:300 \
		"put:$(to_name two.test "$port")6869" \
		"get:$(to4 "$port" c0000204)6869" \
		"put:$(to_name two.test "$port")0102" \
		"get:$(to4 "$port" c0000204)0102" close
	recorded served
}

# A host has its own address of the other family, and must not use it.
@test "--source of one family: the other is not used" {
	start_udp_target -a ::
	start_names 2001:db8::2,192.0.2.2 2001:db8::2,192.0.2.2 2001:db8::2
	serve --open --source=192.0.2.3
	asks "${greet[@]}" "send:$(connect both.test 8080)" reply:00 shut eof
	recorded served
	has address 192.0.2.2:8080
	asks "${associate[@]}" "put:$(to_name both.test "$port")6869" \
		"get:$(far "$port")" close
	recorded served
	has dropped ""
	has error ""
	# Nothing is left.
	asks "${greet[@]}" "send:$(connect six.test 8080)" reply:01 eof
	recorded error "source=192.0.2.3 is no address to reach IPv6 from"
	asks "${associate[@]}" "put:$(to_name six.test "$port")6869" hold:300 \
		close
	recorded served
	has dropped unsent:1
	has error "source=192.0.2.3 is no address to reach IPv6 from"
}

@test "source= in a rule, and same, are no different" {
	start_names 2001:db8::2,192.0.2.2
	rules=$BATS_TEST_TMPDIR/rules
	echo "allow to any source=192.0.2.3" >"$rules"
	serve --rules="$rules"
	asks "${greet[@]}" "send:$(connect both.test 8080)" reply:00 shut eof
	recorded served
	has address 192.0.2.2:8080
	asks "${greet[@]}" \
		send:0501000420010db80000000000000000000000021f90 reply:01 eof
	recorded error "source=192.0.2.3 is no address to reach IPv6 from"
	serve_anew --open --source=same
	asks "${greet[@]}" "send:$(connect both.test 8080)" reply:00 shut eof
	recorded served
	has address 192.0.2.2:8080
	asks "${greet[@]}" \
		send:0501000420010db80000000000000000000000021f90 reply:01 eof
	recorded error "source=192.0.2.1 is no address to reach IPv6 from"
}
