#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The rules, and where it comes out, for all that is not SOCKS5's CONNECT: UDP
# ASSOCIATE, BIND, RESOLVE and SOCKS4, for clients on another host.
#
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
	rules=$BATS_TEST_TMPDIR/rules
	in_there=(nsenter -t "$remote" -n)
}

teardown()
{
	stop_udp_targets
	stop_superservers
	handler_teardown
}

url=http://192.0.2.2:8080/file

# write_rules LINE...: for the clients that come next
write_rules()
{
	printf '%s\n' "$@" >"$rules.new"
	chmod 644 "$rules.new"
	mv "$rules.new" "$rules"
}

# with_names LINE...: runs what is behind it where /etc/hosts has these lines,
# and nobody else is asked.
with_names()
{
	printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/hosts"
	printf 'hosts: files\n' >"$BATS_TEST_TMPDIR/nsswitch.conf"
	within=(unshare -m sh -c 'for file in hosts nsswitch.conf; do
		mount --bind "$0/$file" "/etc/$file"; done
		exec "$@"' "$BATS_TEST_TMPDIR")
}

# echoes PORT HEXADDRESS: that datagrams go there, and come back.
echoes()
{
	echo "put:$(to4 "$@")6869" "get:$(to4 "$@")6869"
}

# got N: the last udp-target has had so many datagrams.
got()
{
	[ "$(grep -c '^got' "$udp_out")" -eq "$1" ]
}

far=c0000202  # 192.0.2.2, where the clients are
far2=c0000204 # 192.0.2.4, there too
near=c0000201 # 192.0.2.1, here
far6=20010db8000000000000000000000002

# --- UDP ASSOCIATE --------------------------------------------------------

@test "UDP: a denied datagram is dropped and counted, the others go on" {
	write_rules 'deny command=connect,bind to any port 7007' \
		'deny to 192.0.2.4' \
		'allow command=udp to 192.0.2.2, 2001:db8::2 port 7007-7008' \
		'allow to any port 8081'
	serve --rules="$rules"
	start_udp_target -a 192.0.2.2 -p 7007
	start_udp_target -a 2001:db8::2 -p 7008
	start_udp_target -a 192.0.2.4 -p 7007
	# shellcheck disable=SC2046 # two words each
	asks "${associate[@]}" $(echoes 7007 $far) "put:$(to4 7007 $far2)01" \
		"put:$(to4 7009 $far)02" $(echoes 7007 $far) \
		"put:$(to4 7007 $far2)03" \
		"put:$(to6 7008 $far6)04" "get:$(to6 7008 $far6)04" close
	recorded client-eof
	has command UDP_ASSOCIATE
	has dropped denied:3
	has udp_up 3
	has udp_down 3
	got 0
	# The line for datagrams is for nothing else.
	asks "${greet[@]}" "send:$(request4 7007 192.0.2.2)" reply:02 eof
	recorded refused "denied by $rules:1"
	asks "${greet[@]}" "send:$(request4 7008 192.0.2.2)" reply:02 eof
	recorded refused "no line of $rules allows it"
}

@test "UDP: a client without any right to it gets 02 at once" {
	write_rules 'allow command=connect,bind,resolve to any'
	serve --rules="$rules"
	asks "${greet[@]}" ask:0100000000 reply:02 eof
	recorded refused "no line of $rules allows it"
	has command UDP_ASSOCIATE
	has reply 2
	write_rules 'deny from 192.0.2.2 command=udp to any' 'allow to any'
	asks "${greet[@]}" ask:0100000000 reply:02 eof
	recorded refused "denied by $rules:1"
	# To some places is enough.
	write_rules 'deny command=udp to 192.0.2.0/24' 'allow to any'
	asks "${associate[@]}" "put:$(to4 7007 $far)01" close
	recorded client-eof
}

@test "UDP: what is internal is denied to a remote client, in every disguise" {
	serve --open
	start_udp_target -a 192.0.2.2 -p 7008
	in_there=()
	start_udp_target -a 0.0.0.0 -p 7007
	steps=()
	for address in 7f000001 00000000 c0000201 c0000203 64400001 a9fea9fe \
		e0000001 ffffffff c00002ff; do
		steps+=("put:$(to4 7007 $address)01")
	done
	for address in 00000000000000000000000000000001 \
		00000000000000000000ffff7f000001 \
		00000000000000000000000000000000 \
		0064ff9b00000000000000007f000001 \
		20010db8000000000000000000000001; do
		steps+=("put:$(to6 7007 $address)02")
	done
	for name in 127.0.0.1 ::1 ::ffff:127.0.0.1 192.0.2.1; do
		steps+=("put:$(to_name $name 7007)03")
	done
	# shellcheck disable=SC2046 # two words
	asks "${associate[@]}" "${steps[@]}" $(echoes 7008 $far) close
	recorded client-eof
	has dropped "denied:${#steps[@]}"
	got 0
	# Without options a local one reaches it, by whatever address.
	serve_anew
	# shellcheck disable=SC2046
	"$HOSTS/client" tcp:127.0.0.1:1080 "${associate[@]}" \
		$(echoes 7007 7f000001) $(echoes 7007 $near) \
		$(echoes 7008 $far) close
	recorded client-eof
	has dropped ''
	has udp_up 3
}

@test "UDP: names, by their own lines and by their addresses'" {
	need_namespaces
	with_names '192.0.2.2 good.test' '192.0.2.2 bad.test' \
		'127.0.0.1 inside.test localhost' '192.0.2.4 denied.test' \
		'127.0.0.1 mixed.test' '192.0.2.4 mixed.test' \
		'192.0.2.2 mixed.test' '198.51.100.9 elsewhere.test'
	printf '#!/bin/bash\nexec %s "$@"\n' \
		"$(printf '%q ' "${within[@]}" "$HANDLER")" \
		>"$BATS_TEST_TMPDIR/handler"
	chmod +x "$BATS_TEST_TMPDIR/handler"
	HANDLER=$BATS_TEST_TMPDIR/handler
	start_udp_target -a 192.0.2.2 -p 7007
	start_udp_target -a 192.0.2.2 -p 7008
	write_rules 'deny to *.bad.test, bad.test' 'deny to 192.0.2.4' \
		'allow to good.test, mixed.test port 7007' \
		'allow to 192.0.2.0/24 port 7008'
	play inet "${associate[@]}" \
		"put:$(to_name good.test 7007)01" "get:$(to4 7007 $far)01" \
		"put:$(to_name GOOD.test 7008)02" "get:$(to4 7008 $far)02" \
		"put:$(to_name mixed.test 7007)03" "get:$(to4 7007 $far)03" \
		"put:$(to_name inside.test 7007)" \
		"put:$(to_name elsewhere.test 7008)" \
		"put:$(to_name denied.test 7008)" \
		"put:$(to_name bad.test 7008)" \
		"put:$(to_name 127.1 7007)" "put:$(to_name localhost 7007)" \
		"put:$(to4 7008 $far)04" "get:$(to4 7008 $far)04" children:0 \
		close -- --rules="$rules"
	has dropped denied:6
	has udp_up 4
	has udp_down 4
	# What no line would allow, whatever it leads to, is not looked up.
	play inet "${associate[@]}" "put:$(to_name no-such.test 7009)" \
		"put:$(to_name no-such.bad.test 7008)" \
		"put:$(to4 7008 $far)" "get:$(to4 7008 $far)" \
		children:0 close -- --rules="$rules"
	has dropped denied:2
}

@test "UDP: the terms of the line that allows the first datagram hold" {
	write_rules 'allow command=udp to any port 7007 lifetime=0.5' \
		'allow command=udp to any idle=0.5'
	serve --rules="$rules" --lifetime=20 --idle-timeout=20
	start_udp_target -a 192.0.2.2 -p 7007
	start_udp_target -a 192.0.2.2 -p 7008
	# shellcheck disable=SC2046 # two words each
	asks "${associate[@]}" $(echoes 7007 $far) $(echoes 7008 $far) closed
	recorded lifetime
	at_least "$(field duration_ms)" 500
	at_most "$(field duration_ms)" 10000
	has udp_up 2
	# The other way round, what the line doesn't say is as in the options.
	# shellcheck disable=SC2046
	asks "${associate[@]}" $(echoes 7008 $far) $(echoes 7007 $far) closed
	recorded idle
	at_least "$(field duration_ms)" 500
	at_most "$(field duration_ms)" 10000
	has udp_up 2
}

@test "UDP: source=, interface= and mark=" {
	write_rules \
		'allow to 192.0.2.2 port 7007 source=192.0.2.3,2001:db8::1' \
		'allow to 192.0.2.2 port 7008 source=192.0.2.1' \
		'allow to any port 7009 source=2001:db8::1,192.0.2.3 idle=9' \
		'allow to any port 7010 interface=nowhere' \
		'allow to any port 7011 interface=here'
	serve --rules="$rules"
	start_udp_target -a 192.0.2.2 -p 7008
	start_udp_target -a 2001:db8::2 -p 7009
	start_udp_target -a 192.0.2.2 -p 7011
	start_udp_target -a 192.0.2.2 -p 7007
	# Another line, and the same way out; another way out.
	# shellcheck disable=SC2046 # two words
	asks "${associate[@]}" $(echoes 7007 $far) \
		"put:$(to6 7009 $far6)01" "get:$(to6 7009 $far6)01" \
		"put:$(to4 7008 $far)" "put:$(to4 7011 $far)" \
		$(echoes 7007 $far) close
	recorded client-eof
	has dropped denied:2
	has udp_up 3
	[ "$(grep -c '^got 192\.0\.2\.3 ' "$udp_out")" -eq 2 ]
	# shellcheck disable=SC2046
	asks "${associate[@]}" $(echoes 7011 $far) close
	recorded client-eof
	has udp_down 1
	asks "${associate[@]}" "put:$(to4 7010 $far)" close
	recorded client-eof "interface=nowhere: *"
	has dropped unsent:1
	need_root "mark packets"
	# What is marked is not to leave.
	ip rule add fwmark 42 unreachable
	write_rules 'allow to any port 7007 mark=42' 'allow to any mark=7'
	# shellcheck disable=SC2046
	asks "${associate[@]}" "put:$(to4 7007 $far)" close
	recorded client-eof
	has dropped unsent:1
	# shellcheck disable=SC2046
	asks "${associate[@]}" $(echoes 7008 $far) close
	recorded client-eof
	has udp_down 1
	ip rule del fwmark 42
}

@test "UDP: --source=same is the address that the client has reached" {
	serve --open --source=same
	start_udp_target -a 192.0.2.4 -p 7007
	# shellcheck disable=SC2046 # two words
	there "$HOSTS/client" tcp:192.0.2.3:1080 "${associate[@]}" \
		$(echoes 7007 $far2) close
	recorded client-eof
	grep '^got 192\.0\.2\.3 ' "$udp_out"
}

# --- BIND -----------------------------------------------------------------

# start_binding REQUEST STEP...: a client there, in the background, that has
# the first reply; $at is what that says, and the steps come after it.
start_binding()
{
	local address port

	rm -f "$BATS_TEST_TMPDIR/binding" # or the one before is read
	nsenter -t "$remote" -n "$HOSTS/client" tcp:192.0.2.1:1080 \
		"${greet[@]}" "send:$1" reply:00 "${@:2}" \
		>"$BATS_TEST_TMPDIR/binding" 2>&1 3>&- &
	target=$! # for handler_teardown
	wait_until grep -q '^bnd ' "$BATS_TEST_TMPDIR/binding"
	read -r _ address port <"$BATS_TEST_TMPDIR/binding"
	at=$address:$port
}

# binding_held: its steps have.
binding_held()
{
	local status=0

	wait "$target" || status=$?
	target=
	cat "$BATS_TEST_TMPDIR/binding"
	[ "$status" -eq 0 ]
}

# comes ADDRESS STEP...: a peer, from this address, which is there or here.
comes()
{
	local -a from=("${in_there[@]}")

	[ "$1" != 192.0.2.1 ] || from=()
	"${from[@]}" "$HOSTS/client" -a "$1" "tcp:$at" "${@:2}"
}

# is_turned_away ADDRESS: connects from it, and is reset, perhaps at once.
is_turned_away()
{
	run comes "$1" reset
	echo "$output"
	[ "$status" -eq 0 ] || [[ $output == *"Connection reset by peer" ]]
}

bind_far=05020001c00002020000
bind_anyone=05020001000000000000

@test "BIND: the rules about DST.ADDR, and internal addresses" {
	write_rules 'deny command=bind to 192.0.2.4' \
		'deny command=connect,udp to any' 'allow to any'
	serve --rules="$rules"
	asks "${greet[@]}" "send:05020001${far2}0000" reply:02 eof
	recorded refused "denied by $rules:1"
	has command BIND
	for address in 017f000001 01c0000201 01c0000203 01c00002ff \
		0400000000000000000000000000000001; do
		asks "${greet[@]}" "send:050200${address}0000" reply:02 eof
		recorded refused "no line of $rules allows it"
	done
	start_binding $bind_far reply:00 text:ping expect:pong eof shut
	[[ $at == 192.0.2.1:* ]]
	comes 192.0.2.2 expect:ping text:pong shut eof
	binding_held
	recorded served
	has command BIND
	[[ $(field address) == 192.0.2.2:* ]]
	# No right to it at all, whoever may come.
	write_rules 'allow command=connect,udp,resolve to any'
	for request in $bind_far $bind_anyone; do
		asks "${greet[@]}" "send:$request" reply:02 eof
		recorded refused "no line of $rules allows it"
	done
}

@test "BIND for anyone: each is judged by its own address" {
	write_rules 'deny command=bind to 192.0.2.4' \
		'allow command=bind to 192.0.2.0/24 lifetime=0.5'
	serve --rules="$rules" --lifetime=20
	start_binding $bind_anyone reply:00 reset
	is_turned_away 192.0.2.4
	# Here is internal, whoever it is.
	is_turned_away 192.0.2.1
	comes 192.0.2.2 reset
	binding_held
	recorded lifetime
	[[ $(field address) == 192.0.2.2:* ]]
	# Nobody who may: as if nobody had come.
	write_rules 'allow command=bind to 192.0.2.2'
	serve_anew --rules="$rules" --connect-timeout=1
	start_binding $bind_anyone reply:04 eof
	is_turned_away 192.0.2.4
	binding_held
	recorded connect-timeout
	has reply 4
}

@test "BIND: names, by their own lines and by their addresses'" {
	need_namespaces
	with_names '127.0.0.1 mixed.test' '192.0.2.4 mixed.test' \
		'192.0.2.2 mixed.test' '127.0.0.1 inside.test' \
		'192.0.2.2 bad.test'
	write_rules 'deny to bad.test' 'deny to 192.0.2.4' \
		'allow command=bind to *.test'
	serve --rules="$rules"
	for name in inside.test bad.test; do
		asks "${greet[@]}" "send:0502$(request_name $name 0 |
			cut -c 5-)" reply:02 eof
		recorded refused
	done
	start_binding "0502$(request_name mixed.test 0 | cut -c 5-)" \
		reply:00 eof shut
	is_turned_away 192.0.2.4
	comes 192.0.2.2 shut eof
	binding_held
	recorded served
	[[ $(field address) == 192.0.2.2:* ]]
}

@test "BIND: source= is where it listens" {
	write_rules 'allow command=bind to 192.0.2.2 source=192.0.2.3' \
		'allow command=bind to 192.0.2.4 interface=nowhere'
	serve --rules="$rules"
	start_binding $bind_far reply:00 eof shut
	[[ $at == 192.0.2.3:* ]]
	comes 192.0.2.2 shut eof
	binding_held
	recorded served
	asks "${greet[@]}" "send:05020001${far2}0000" reply:01 eof
	recorded error "interface=nowhere: *"
}

# --- RESOLVE, RESOLVE_PTR -------------------------------------------------

# looks_up NAME REP [HEXADDRESS]: the answer to RESOLVE
looks_up()
{
	asks "${greet[@]}" "send:05f0$(request_name "$1" 0 | cut -c 5-)" \
		"recv:05${2}0001${3:-00000000}0000" eof
}

# names HEXADDRESS REP [NAME]: the answer to RESOLVE_PTR
names()
{
	local answer=0001000000000000

	[ $# -lt 3 ] || answer=00$(request_name "$3" 0 | cut -c 7-)
	asks "${greet[@]}" "send:05f10001${1}0000" "recv:05${2}$answer" eof
}

@test "RESOLVE: the rules, and internal addresses are not told" {
	need_namespaces
	with_names '192.0.2.2 far.test' '127.0.0.1 inside.test' \
		'127.0.0.1 mixed.test' '192.0.2.4 mixed.test' \
		'192.0.2.2 mixed.test' '192.0.2.2 bad.test' \
		'127.0.0.1 half.test' '192.0.2.2 half.test'
	serve --open --resolve
	looks_up far.test 00 $far
	recorded answered
	has command RESOLVE
	for name in inside.test 127.0.0.1 192.0.2.1; do
		looks_up $name 02
		recorded refused "denied by built in:*"
	done
	names $far 00 far.test
	recorded answered
	has command RESOLVE_PTR
	for address in 7f000001 $near c0000203; do
		names "$address" 02
		recorded refused "denied by built in:*"
	done
	looks_up half.test 00 $far
	recorded answered
	# Without --open a local client may know.
	serve_anew --resolve
	"$HOSTS/client" tcp:127.0.0.1:1080 "${greet[@]}" \
		"send:05f0$(request_name inside.test 0 | cut -c 5-)" \
		recv:050000017f0000010000 eof
	recorded answered

	write_rules 'deny command=resolve to bad.test' 'deny to 192.0.2.4' \
		'allow command=resolve,connect to *.test' \
		'allow command=resolve to 192.0.2.2'
	serve_anew --resolve --rules="$rules"
	looks_up bad.test 02
	recorded refused "denied by $rules:1"
	looks_up no-such.bad.test 04
	recorded refused
	looks_up mixed.test 00 $far
	recorded answered
	looks_up inside.test 02
	recorded refused "no line of $rules allows it"
	names $far 00 far.test
	recorded answered
	names $far2 02
	recorded refused "denied by $rules:2"
	# To connect there is another matter.
	asks "${greet[@]}" "send:$(request_name bad.test 8081)" reply:05 eof
	recorded refused "Connection refused"
	write_rules 'allow command=connect to any'
	looks_up no-such.test 02
	recorded refused "no line of $rules allows it"
}

# --- SOCKS4 ---------------------------------------------------------------

# connects4 STATUS ADDRESS PORT [IDENT]: CONNECT is answered with that
connects4()
{
	asks "send:0401$(hex16 "$3")$2$(hex_of "${4:-}")00" \
		"recv:00${1}000000000000" eof
}

@test "SOCKS4: refused where a password is required, and by the rules" {
	users=$BATS_TEST_TMPDIR/users
	printf 'alice:%s\n' "$(openssl passwd -6 secret)" >"$users"
	chmod 600 "$users"
	serve --users="$users"
	connects4 5b $far 8080 alice
	recorded no-method
	has ident alice
	has user ''
	asks "send:04020000${far}00" recv:005b000000000000 eof
	recorded no-method
	has command BIND

	write_rules 'allow user=alice to any' \
		'allow to 192.0.2.2 port 8080' \
		'deny command=bind to 192.0.2.4' \
		'allow command=bind to any'
	serve_anew --rules="$rules" --users="$users"
	# Whoever it says it is.
	connects4 5b $far 8081 alice
	recorded refused "no line of $rules allows it"
	has ident alice
	connects4 5b $near 8080 alice
	recorded refused "no line of $rules allows it"
	asks "send:04020000${far2}00" recv:005b000000000000 eof
	recorded refused "denied by $rules:3"
	proxy=socks4://192.0.2.1:1080
	run get "$url" -U alice:secret
	[ "$output" = "far away" ]
	recorded served
	has ident alice
	has user ''
	# Names too.
	write_rules 'allow to localhost port 8080'
	asks "send:04011f900000000100$(hex_of localhost)00" \
		recv:005b000000000000 eof
	recorded refused "no line of $rules allows it"
	# Nothing without a password: SOCKS4 has none.
	write_rules 'allow user=alice to any'
	connects4 5b $far 8080 alice
	recorded no-method
}

@test "SOCKS4: without a password only by --open, and not to what is internal" {
	serve
	connects4 5b $far 8080
	recorded no-method "*--users=FILE*--open"
	serve_anew --open
	proxy=socks4://192.0.2.1:1080
	run get "$url"
	[ "$output" = "far away" ]
	recorded served
	for address in 7f000001 $near c0000203 a9fea9fe; do
		connects4 5b "$address" 22
		recorded refused "denied by built in:*"
	done
	asks "send:0401001600000001""00$(hex_of localhost)00" \
		recv:005b000000000000 eof
	recorded refused "denied by built in:*"
	# BIND, as the rules of SOCKS5's.
	asks "send:04020000${near}00" recv:005b000000000000 eof
	recorded refused "denied by built in:*"
}
