#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# --rules, --explain and --check: what the lines of a file do to clients on real
# sockets. The language itself is tested by tests/unit/policy/test_rules.c.

#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load remote

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
}

teardown()
{
	stop_superservers
	handler_teardown
}

url=http://192.0.2.2:8080/file

# write_rules LINE...: the file
write_rules()
{
	printf '%s\n' "$@" >"$rules"
	chmod 644 "$rules"
}

@test "the first line that matches decides, and nothing matching is denied" {
	write_rules 'deny from 192.0.2.4 to any' \
		'allow from 192.0.2.0/24 to 192.0.2.2 port 8080,9000-9999' \
		'allow from 2001:db8::/64 to any'
	serve --rules="$rules"
	run get "$url"
	[ "$output" = "far away" ]
	recorded served
	run get "$url" --interface 192.0.2.4
	[ "$status" -ne 0 ]
	recorded no-method "the rules allow it nothing*"
	asks "${greet[@]}" "send:$(request4 8080 192.0.2.4)" reply:02 eof
	recorded refused "no line of $rules allows it"
	asks "${greet[@]}" "send:$(request4 22 192.0.2.2)" reply:02 eof
	recorded refused "no line of $rules allows it"
	proxy='socks5h://[2001:db8::1]:1080'
	run get "$url" -g
	[ "$output" = "far away" ]
	recorded served
}

@test "names are matched as asked for, and never lead inside" {
	write_rules 'allow to *.example.org port 8080'
	serve --rules="$rules"
	# Denied before any look-up, which would take time and fail.
	asks "${greet[@]}" "send:$(request_name www.example.com 8080)" \
		reply:02 eof
	recorded refused "no line of $rules allows it"
	asks "${greet[@]}" "send:$(request_name www.example.org 80)" \
		reply:02 eof
	recorded refused
	# The name is right; that there is none is another matter.
	asks "${greet[@]}" "send:$(request_name WWW.example.org. 8080)" \
		reply:04 eof
	recorded refused "name*"
}

@test "a name may lead inside where a line says so" {
	write_rules 'allow to localhost, internal port 7001' \
		'allow to localhost'
	serve --rules="$rules"
	asks "${greet[@]}" "send:$(request_name localhost 7001)" reply:05 eof
	recorded refused "Connection refused"
	asks "${greet[@]}" "send:$(request_name localhost 7002)" reply:02 eof
	recorded refused
}

@test "users and passwords in rules" {
	users=$BATS_TEST_TMPDIR/users
	for name in alice bob; do
		printf '%s:%s\n' "$name" "$(openssl passwd -6 secret)"
	done >"$users"
	chmod 600 "$users"
	write_rules 'allow user=alice to any' 'deny user=* to any' \
		'allow to any port 8081'
	serve --rules="$rules" --users="$users"
	run get "$url" -U alice:secret
	[ "$output" = "far away" ]
	recorded served
	run get "$url" -U bob:secret
	[ "$status" -ne 0 ]
	recorded refused "denied by $rules:2"
	has user bob
	asks "${greet[@]}" "send:$(request4 8081 192.0.2.2)" reply:05 eof
	recorded refused "Connection refused"
	asks "${greet[@]}" "send:$(request4 8080 192.0.2.2)" reply:02 eof
	recorded refused
}

@test "two users on one Unix socket, with different rights" {
	need_root "become somebody else"
	write_rules 'allow uid=65534 to any port 8080' \
		'allow uid=root to any, internal port 7001' \
		'deny gid=0 to any port 7002'
	chmod 755 "$BATS_TEST_TMPDIR"
	copy_program
	SERVER_LOG=$BATS_TEST_TMPDIR/server.log
	socket=$BATS_FILE_TMPDIR/uids.sock
	superserver_command systemd-socket-activate-inetd "$socket" \
		--log=stderr --rules="$rules"
	start_listening "$socket" "${command[@]}"
	chmod 777 "$socket"
	# Through directories that are only root's.
	exec 9<"$BATS_FILE_TMPDIR"
	other()
	{
		setpriv --reuid 65534 --regid 65534 --clear-groups \
			curl -q -sS --noproxy '' --max-time 20 \
			-x "socks5h://localhost/proc/self/fd/9/uids.sock" "$@"
	}
	"$HOSTS/client" "unix:$socket" "${greet[@]}" \
		"send:$(request4 7001)" reply:05 eof
	recorded refused "Connection refused"
	"$HOSTS/client" "unix:$socket" "${greet[@]}" \
		"send:$(request4 7002)" reply:02 eof
	recorded refused "denied by $rules:3"
	"$HOSTS/client" "unix:$socket" "${greet[@]}" \
		"send:$(request4 8080 192.0.2.2)" reply:02 eof
	recorded refused
	run other "$url"
	exec 9<&-
	echo "$output"
	[ "$output" = "far away" ]
	recorded served
	[[ $(field client) == unix:uid=65534,* ]]
}

@test "a line's terms set the session" {
	write_rules 'allow to 192.0.2.2 port 8080 lifetime=0.3' 'allow to any'
	serve --rules="$rules" --idle-timeout=20
	asks "${greet[@]}" "send:$(request4 8080 192.0.2.2)" reply:00 reset
	recorded lifetime
	# The next connection has the file as it is then.
	write_rules 'allow to any idle=0.2'
	asks "${greet[@]}" "send:$(request4 8080 192.0.2.2)" reply:00 reset
	recorded idle
}

@test "mistakes name the file, the line and the column" {
	write_rules 'allow to any' 'allow from 192.0.2.0/33 to any'
	run "$HANDLER" --rules="$rules" --check
	[ "$status" -eq 64 ]
	[[ $output == "socks5-handler: $rules:2:12: "* ]]
	write_rules 'allow to any'
	run "$HANDLER" --rules="$rules" --open --check
	[ "$status" -eq 64 ]
	[[ $output == *"--open and --rules=$rules: "* ]]
	chmod 666 "$rules"
	run "$HANDLER" --rules="$rules" --check
	[ "$status" -eq 64 ]
	[[ $output == *"--rules=$rules: others can write to it"* ]]
	write_rules 'allow uid=nobody-of-that-name to any'
	run "$HANDLER" --rules="$rules" --check
	[ "$status" -eq 64 ]
	[[ $output == "socks5-handler: $rules:1:"*nobody-of-that-name* ]]
	write_rules 'allow to any'
	run "$HANDLER" --rules=/nonexistent --check
	[ "$status" -eq 64 ]
	chmod 644 "$rules"
	run "$HANDLER" --rules="$rules" --check
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "--check: what this host can't do, and lines that match nobody" {
	checks()
	{
		run "$HANDLER" --check "$@"
		echo "$* -> $status $output"
	}
	checks --source=192.0.2.77
	[ "$status" -eq 64 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *": --source=192.0.2.77 is no address of this machine"* ]]
	checks --interface=nosuch0
	[ "$status" -eq 64 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *": --interface=nosuch0: there is no such interface" ]]
	# What is no mistake is said all the same.
	checks --source=192.0.2.3
	[ "$status" -eq 0 ]
	[[ $output == "--source=192.0.2.3 is no address to reach IPv6 from, "* ]]
	checks --source=192.0.2.3 --source=2001:db8::1
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	write_rules 'deny to internal' 'allow user=alice,mallory to any' \
		'allow to any source=192.0.2.77' 'allow to any interface=nosuch0'
	printf 'alice:%s\n' "$(openssl passwd -6 secret)" >"$BATS_TEST_TMPDIR/users"
	chmod 600 "$BATS_TEST_TMPDIR/users"
	checks --rules="$rules" --users="$BATS_TEST_TMPDIR/users"
	[ "$status" -eq 64 ]
	[[ $output == *"$rules:2: user=mallory: no line of the users file"* ]]
	[[ $output == *"$rules:3: source=192.0.2.77 is no address of this"* ]]
	[[ $output == *"$rules:4: interface=nosuch0: there is no such"* ]]
	[[ $output != *user=alice* ]]
	write_rules 'allow user=* to any'
	checks --rules="$rules"
	[ "$status" -eq 64 ]
	[[ $output == *"$rules:1: user= matches nobody, as no password"* ]]
	run "$HANDLER" --explain --users="$BATS_TEST_TMPDIR/users" \
		--user mallory 192.0.2.2 80
	[ "${lines[-1]}" = "method: 02, status: 01" ]
	run "$HANDLER" --explain --users="$BATS_TEST_TMPDIR/users" \
		--user alice 192.0.2.2 80
	[ "${lines[-1]}" = "reply: 00, if it can be connected" ]
}

@test "--explain: the line, the addresses, the reply" {
	run "$HANDLER" --explain --from 198.51.100.1 192.0.2.2 80
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"built in"*"method: FF" ]]
	# A local client is the default, and may reach anything.
	run "$HANDLER" --explain 127.0.0.1 80
	[[ $output == *"built in:1: allow from local"*"reply: 00"* ]]
	# With --users nobody may do anything without a password, and by one it
	# is the same for everybody.
	printf 'alice:%s\n' "$(openssl passwd -6 secret)" \
		>"$BATS_TEST_TMPDIR/users"
	chmod 600 "$BATS_TEST_TMPDIR/users"
	for from in local 198.51.100.1; do
		ask=("$HANDLER" --explain --from "$from"
			--users="$BATS_TEST_TMPDIR/users")
		run "${ask[@]}" 192.0.2.2 80
		[[ $output == *"built in"*"method: FF" ]]
		ask+=(--user alice)
		run "${ask[@]}" 127.1 80
		[ "$output" = $'built in:1: deny to internal\nreply: 02' ]
		run "${ask[@]}" 192.0.2.2 80
		[[ $output == *"192.0.2.2:80: allowed, from 192.0.2.1, by built in:2: "* ]]
		[[ $output == *"reply: 00"* ]]
		run "$HANDLER" --explain --open --from "$from" 127.0.0.1 80
		[ "$output" = $'built in:1: deny to internal\nreply: 02' ]
	done
	write_rules 'deny to 192.0.2.4' \
		'allow uid=1000 to any source=192.0.2.3 rate=1000'
	run "$HANDLER" --rules="$rules" --explain --uid 1000 192.0.2.2 443
	echo "$output"
	[[ $output == *"allowed, from 192.0.2.3, by $rules:2: allow uid=1000"* ]]
	[[ $output == *"rate 1000 bytes/s"* ]]
	run "$HANDLER" --rules="$rules" --explain --uid 1000 192.0.2.4 443
	[ "${lines[-1]}" = "reply: 02" ]
	run "$HANDLER" --rules="$rules" --explain --uid 1001 192.0.2.2 443
	[ "${lines[-1]}" = "reply: 02" ] || [[ $output == *"method: FF" ]]
	for words in "--explain" "--explain host" "--explain host x" \
		"--explain --user alice 192.0.2.2 80" \
		"--explain --from nowhere 192.0.2.2 80" "--from 192.0.2.1" \
		"--explain --command fly 192.0.2.2 80"; do
		# shellcheck disable=SC2086 # words
		run "$HANDLER" $words
		echo "$words: $output"
		[ "$status" -eq 64 ]
		[ "${#lines[@]}" -eq 1 ]
	done
}

@test "--explain: what the terms can't have is no yes, as a client would see" {
	explains connect 192.0.2.2 "*, from nowhere: source=192.0.2.77 is no \
address of this machine, by built in:1: *
reply: 01" --source=192.0.2.77
	explains connect 192.0.2.2 "*, from nowhere: interface=nosuch0: there \
is no such interface, by built in:1: *
reply: 01" --interface=nosuch0
	explains bind 192.0.2.2 "*
listens on nowhere: source=192.0.2.77 is no address of this machine
reply: 01" --source=192.0.2.77
	explains udp 192.0.2.2 "*, from nowhere: source=192.0.2.77 is no *
reply: 00, and the datagram is dropped" --source=192.0.2.77
	# No way there, whatever the rules say.
	explains connect 203.0.113.1 "*203.0.113.1:8080: allowed, from nowhere: \
Network is unreachable, by *
reply: 03"
	# The same, asked by a client.
	serve --source=192.0.2.77 --open
	asks "${greet[@]}" "send:$(request4 8080 192.0.2.2)" reply:01 eof
}

# explains COMMAND HOST PATTERN [OPTION...]: to the last line
explains()
{
	run "$HANDLER" --explain --command="$1" "${@:4}" "$2" 8080
	echo "$output"
	[ "$status" -eq 0 ]
	# shellcheck disable=SC2053 # a pattern
	[[ $output == $3 ]]
}

@test "--explain: commands other than CONNECT" {
	write_rules 'deny command=bind to 192.0.2.4' \
		'allow command=udp to 192.0.2.2 port 8080 source=192.0.2.3 rate=9' \
		'allow command=bind to 192.0.2.0/24 source=192.0.2.3 lifetime=7' \
		'allow command=resolve to 192.0.2.2, *.test'
	ruled=(--rules="$rules" --resolve)

	explains bind 192.0.2.2 "$rules:3: *"$'\n'"192.0.2.2:8080: allowed, \
by $rules:3: *"$'\n'"lifetime 7 s"$'\n'"listens on 192.0.2.3
reply: 00, if it can listen there, and a second one when the peer has come" \
		"${ruled[@]}"
	explains bind 192.0.2.4 "$rules:1: *"$'\n'"reply: 02" "${ruled[@]}"
	explains bind 0.0.0.0 \
		"reply: 00, and the rules are asked about whoever comes" \
		"${ruled[@]}"

	explains udp 192.0.2.2 "$rules:2: *"$'\n'"192.0.2.2:8080: allowed, \
from 192.0.2.3, by $rules:2: *"$'\n'"lifetime 30 s
reply: 00, and the datagram is relayed, if it can be sent" "${ruled[@]}"
	explains udp 192.0.2.4 "$rules: no line matches, so it is denied
reply: 00, and the datagram is dropped" "${ruled[@]}"
	explains udp no-such.invalid "*no-such.invalid: name*
reply: 00, and the datagram is dropped"
	# A Unix socket has no address, and some have no right to it at all.
	explains udp 192.0.2.2 "reply: 07, *client with an IP address" --uid=0
	write_rules 'deny command=udp,bind to any' \
		'allow command=resolve to any, internal port 8080' \
		'allow command=resolve to 192.0.2.2'
	explains udp 192.0.2.2 "$rules:1: *"$'\n'"reply: 02" "${ruled[@]}"
	explains bind 0.0.0.0 "$rules:1: *"$'\n'"reply: 02" "${ruled[@]}"

	# There is no port, and so no line with one matches.
	explains resolve 192.0.2.4 "$rules: no line matches*"$'\n'"reply: 02" \
		"${ruled[@]}"
	explains resolve 192.0.2.2 "$rules:3: *"$'\n'"192.0.2.2: allowed, by \
$rules:3: *"$'\n'"reply: 00, with 192.0.2.2; RESOLVE_PTR: with its name*" \
		"${ruled[@]}"
	explains resolve localhost "*"$'\n'"reply: 00, with 127.0.0.1" --resolve
	explains resolve localhost "*"$'\n'"reply: 02" --resolve \
		--from=192.0.2.2 --open
	explains resolve 192.0.2.2 "reply: 07, command not supported without --resolve"
	for command in bind udp resolve; do
		explains $command 192.0.2.2 \
			"reply: 07, --upstream is asked for CONNECT alone" \
			--upstream=socks5://127.0.0.1:1090 --resolve
	done
}
