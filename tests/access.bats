#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Who may come in, with and without a password, and what is never reached:
# clients on another host, by real addresses.

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
	users=$BATS_TEST_TMPDIR/users
	# alice:secret, by openssl passwd -6 -salt salt
	printf 'alice:%s\n' "$(openssl passwd -6 -salt salt secret)" >"$users"
	chmod 600 "$users"
}

teardown()
{
	[ -z "${names:-}" ] || end_process "$names"
	stop_superservers
	handler_teardown
}

url=http://192.0.2.2:8080/file

# name HOST PORT: CONNECT to a name, whatever it looks like
name()
{
	request_name "$1" "$2"
}

@test "a remote client without a password gets 05 FF, and the log says why" {
	serve
	asks send:050100 recv:05ff eof
	recorded no-method "*--users=FILE*--open"
	# It may offer what it likes.
	asks send:05020001 recv:05ff eof
	recorded no-method
	# IPv4-mapped or not, loopback is local.
	proxy=socks5h://127.0.0.1:1080
	run curl -q -sS --noproxy '' --max-time 20 -x "$proxy" "$url"
	[ "$output" = "far away" ]
	recorded served
}

@test "a local client reaches this host's own addresses" {
	for address in 127.0.0.1 192.0.2.1; do
		target_options=(-a 0.0.0.0)
		start_target text:hello eof
		play inet "${greet[@]}" "send:$(request4 "$port" $address)" \
			reply:00 expect:hello shut eof
		target_held
	done
}

@test "--open lets a remote client in" {
	serve --open
	run get "$url"
	[ "$output" = "far away" ]
	recorded served
	run get 'http://[2001:db8::2]:8080/file' -g
	[ "$output" = "far away" ]
	recorded served
}

@test "what is internal is denied to it, in every disguise" {
	serve --open
	for address in 127.0.0.1 127.8.8.8 0.0.0.0 0.0.0.1 169.254.169.254 \
		224.0.0.1 255.255.255.255 100.64.0.1 192.0.2.1 192.0.2.3 \
		192.0.2.255; do
		asks "${greet[@]}" "send:$(request4 22 $address)" reply:02 eof
		recorded refused "denied by built in:*"
	done
	for address in 00000000000000000000000000000001 \
		00000000000000000000000000000000 \
		00000000000000000000ffff7f000001 \
		00000000000000000000ffffc0000201 \
		0000000000000000000000007f000001 \
		0064ff9b00000000000000007f000001 \
		20027f00000100000000000000000001 \
		fe800000000000000000000000000001 \
		ff020000000000000000000000000001 \
		20010db8000000000000000000000001; do
		asks "${greet[@]}" "send:05010004${address}0016" reply:02 eof
		recorded refused "denied by built in:*"
	done
	for host in 127.0.0.1 ::1 127.1 2130706433 0x7f.1 localhost \
		LOCALHOST ::ffff:127.0.0.1 192.0.2.1; do
		asks "${greet[@]}" "send:$(name $host 22)" reply:02 eof
		recorded refused "denied by built in:*"
	done
}

@test "of a name's addresses those that are internal are never dialled" {
	need_namespaces
	printf '%s\n' '127.0.0.1 both.test' '192.0.2.2 both.test' \
		>"$BATS_TEST_TMPDIR/hosts"
	printf 'hosts: files\n' >"$BATS_TEST_TMPDIR/nsswitch.conf"
	within=(unshare -m sh -c 'for file in hosts nsswitch.conf; do
		mount --bind "$0/$file" "/etc/$file"; done
		exec "$@"' "$BATS_TEST_TMPDIR")
	# Something is there, and would answer.
	busybox httpd -f -p 127.0.0.1:8080 -h "$BATS_TEST_TMPDIR" 3>&- &
	inner=$!
	serve --open
	run get http://both.test:8080/file
	end_process "$inner"
	[ "$output" = "far away" ]
	recorded served
	has address 192.0.2.2:8080
}

# were_asked LINE...: by one look-up for each connection, of A and of AAAA,
# whichever came first.
were_asked()
{
	diff <(printf '%s\n' "$@" | sort) <(sort "$asked")
}

@test "a name server that says 127.0.0.1 the second time gets nobody inside" {
	start_names 192.0.2.2 127.0.0.1,::1
	# It would answer whoever came, on either address.
	target_options=(-a :: -p 8080)
	start_target text:inner eof
	serve --open
	run get http://rebind.test:8080/file
	[ "$output" = "far away" ]
	recorded served
	has address 192.0.2.2:8080
	# What was checked is what was dialled: it isn't looked up twice.
	were_asked 'A rebind.test 192.0.2.2' 'AAAA rebind.test'
	asks "${greet[@]}" "send:$(name rebind.test 8080)" reply:02 eof
	recorded refused "denied by built in:1 (deny to internal)"
	has target rebind.test:8080
	has address ""
	were_asked 'A rebind.test 192.0.2.2' 'AAAA rebind.test' \
		'A rebind.test 127.0.0.1' 'AAAA rebind.test ::1'
	[ ! -s "$BATS_TEST_TMPDIR/target.out" ]
	# This is how it would have been, as a client without options is local.
	end_process "${superserver_pids[-1]}"
	unset 'superserver_pids[-1]'
	serve
	"$HOSTS/client" tcp:127.0.0.1:1080 "${greet[@]}" \
		"send:$(name rebind.test 8080)" reply:00 expect:inner shut eof
	target_held
	grep '^peer ' "$BATS_TEST_TMPDIR/target.out"
}

@test "... and neither does one that says both at once" {
	start_names 127.0.0.1,192.0.2.2,192.0.2.1,::1,::ffff:127.0.0.1
	target_options=(-a :: -p 8080)
	start_target text:inner eof
	serve --open
	run get http://rebind.test:8080/file
	[ "$output" = "far away" ]
	recorded served
	has address 192.0.2.2:8080
	[ ! -s "$BATS_TEST_TMPDIR/target.out" ]
	handler_teardown
	# Where the one that may be dialled refuses, no other is tried.
	target_options=(-a :: -p 8081)
	start_target text:inner eof
	asks "${greet[@]}" "send:$(name rebind.test 8081)" reply:05 eof
	recorded refused "Connection refused"
	start_names 192.0.2.1,127.0.0.1,::1,::ffff:127.0.0.1,2001:db8::1
	asks "${greet[@]}" "send:$(name rebind.test 8081)" reply:02 eof
	recorded refused "denied by built in:1 (deny to internal)"
	[ ! -s "$BATS_TEST_TMPDIR/target.out" ]
}

@test "... nor by a rule that allows its name" {
	rules=$BATS_TEST_TMPDIR/rules
	echo 'allow to rebind.test' >"$rules"
	chmod 644 "$rules"
	start_names 192.0.2.2,127.0.0.1 127.0.0.1,::1
	target_options=(-a :: -p 8080)
	start_target text:inner eof
	serve --rules="$rules"
	run get http://rebind.test:8080/file
	[ "$output" = "far away" ]
	recorded served
	run ! get http://rebind.test:8080/file
	recorded refused "no line of $rules allows it"
	# A local client is told the same.
	"$HOSTS/client" tcp:127.0.0.1:1080 "${greet[@]}" \
		"send:$(name rebind.test 8080)" reply:02 eof
	recorded refused "no line of $rules allows it"
	[ ! -s "$BATS_TEST_TMPDIR/target.out" ]
}

@test "a password: right, wrong, empty, none, and one of 255 bytes" {
	long=$(printf '%0255d' 7)
	printf 'bob:%s\n' "$(openssl passwd -6 -salt pepper "$long")" >>"$users"
	serve --users="$users"
	run get "$url" -U alice:secret
	[ "$output" = "far away" ]
	recorded served
	has user alice
	run get "$url" -U "bob:$long"
	[ "$output" = "far away" ]
	recorded served
	for login in alice:wrong alice: bob:secret mallory:secret \
		"bob:${long%7}8"; do
		run get "$url" -U "$login"
		[ "$status" -ne 0 ]
		recorded auth-failed "wrong name or password"
		has user "${login%%:*}"
	done
	run get "$url"
	[ "$status" -ne 0 ]
	recorded no-method "it offered no password"
	# A wrong one is answered, whole, and then the connection is closed.
	asks send:050102 recv:0502 send:0105616c6963650577726f6e67 recv:0101 \
		eof
	recorded auth-failed
	# No password and no hash has reached the log.
	run ! grep -e secret -e "$long" -e 'salt' "$SERVER_LOG"
}

@test "a password doesn't open what is internal" {
	serve --users="$users"
	asks send:050102 recv:0502 send:0105616c69636506736563726574 \
		recv:0100 "send:$(request4 22)" reply:02 eof
	recorded refused "denied by built in:*"
	has user alice
}

# alice's login, and what is answered
login=(send:050102 recv:0502 send:0105616c69636506736563726574 recv:0100)

@test "--users: clients on this machine need a password as well" {
	for kind in inet unix socketpair pipes; do
		play $kind send:050100 recv:05ff eof -- --users="$users"
		has error "it offered no password"
		play $kind send:0401001600000001 send:00 send:6100 \
			recv:005b000000000000 eof -- --users="$users"
		has end no-method
		play $kind "${login[@]}" "send:$(request4 8081 192.0.2.2)" \
			reply:05 shut closed -- --users="$users"
		has user alice
		# Which doesn't open what is internal.
		play $kind "${login[@]}" "send:$(request4 22)" reply:02 shut \
			closed -- --users="$users"
		has error "denied by built in:1 (deny to internal)"
	done
}

@test "--open: nobody needs a password, and nobody gets inside" {
	for kind in inet unix socketpair pipes; do
		play $kind "${greet[@]}" "send:$(request4 8081 192.0.2.2)" \
			reply:05 shut closed -- --open
		play $kind "${greet[@]}" "send:$(request4 22)" reply:02 shut \
			closed -- --open
		has error "denied by built in:1 (deny to internal)"
	done
	run "$HANDLER" --open --users="$users" --check
	echo "$output"
	[ "$status" -eq 64 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "socks5-handler: --open and --users=$users: "* ]]
}

@test "a TLS wrapper or a relay in front makes nobody local where there are users" {
	need socat openssl
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj /CN=proxy -days 1 -keyout "$BATS_TEST_TMPDIR/tls.pem" \
		-out "$BATS_TEST_TMPDIR/certificate" 2>/dev/null
	cat "$BATS_TEST_TMPDIR/certificate" >>"$BATS_TEST_TMPDIR/tls.pem"
	serve --users="$users"
	records=$SERVER_LOG
	SERVER_LOG=$BATS_TEST_TMPDIR/front.log
	start_listening 1443 socat "OPENSSL-LISTEN:1443,reuseaddr,fork,\
verify=0,cert=$BATS_TEST_TMPDIR/tls.pem" TCP:127.0.0.1:1080
	start_listening 1081 socat TCP-LISTEN:1081,reuseaddr,fork \
		TCP:127.0.0.1:1080
	SERVER_LOG=$records
	# What takes the TLS off again is on the other host.
	tls=(socat - "OPENSSL:192.0.2.1:1443,verify=0")
	# socat 1.8 has something to say about a server without a name.
	run -0 --separate-stderr there sh -c \
		'printf "\5\1\0" | "$@" | od -An -tx1' sh "${tls[@]}"
	[ "$output" = " 05 ff" ]
	recorded no-method "it offered no password"
	[[ $(field client) == 127.0.0.1:* ]]
	there "$HOSTS/client" tcp:192.0.2.1:1081 send:050100 recv:05ff shut eof
	recorded no-method "it offered no password"
	proxy=socks5h://192.0.2.1:1081
	run get "$url" -U alice:secret
	[ "$output" = "far away" ]
	recorded served
	run ! get http://127.0.0.1:1080/ -U alice:secret
	recorded refused "denied by built in:1 (deny to internal)"
}

# write_rules LINE...
write_rules()
{
	rules=$BATS_TEST_TMPDIR/rules
	printf '%s\n' "$@" >"$rules"
	chmod 644 "$rules"
}

# The login of Java's, the user's name with an empty password
java=(send:0104726f6f7400 recv:0100)

@test "without accounts any login is taken, and the name is only claimed" {
	# That alone is what Qt, httpx, OpenVPN and torsocks --isolate offer.
	for password in 00 06736563726574; do
		play inet send:050102 recv:0502 \
			"send:0105616c696365$password" recv:0100 \
			"send:$(request4 1)" reply:05 eof
		has user ""
		has ident alice
	done
	# No line about users is meant.
	write_rules 'deny user=* to any' 'allow user=alice to any' \
		'allow to any, internal port 1'
	play inet send:050102 recv:0502 send:0105616c69636506736563726574 \
		recv:0100 "send:$(request4 1)" reply:05 eof -- --rules="$rules"
	has ident alice
	play inet send:050102 recv:0502 send:0105616c69636506736563726574 \
		recv:0100 "send:$(request4 2)" reply:02 eof -- --rules="$rules"
	has error "no line of $rules allows it"
	# Who may reach nothing is not asked.
	write_rules 'allow user=alice to any'
	play inet send:050102 recv:05ff eof -- --rules="$rules"
	serve
	asks send:050102 recv:05ff eof
	recorded no-method
}

@test "method 0 goes first where nobody needs a password, nor asks who it is" {
	play inet send:05020002 recv:0500 "send:$(request4 1)" reply:05 eof
	write_rules 'allow to any, internal'
	play inet send:05020002 recv:0500 "send:$(request4 1)" reply:05 eof -- \
		--rules="$rules" --users="$users"
	# It offers no other: what it says has to be right.
	play inet "${login[@]}" "send:$(request4 1)" reply:05 eof -- \
		--rules="$rules" --users="$users"
	has user alice
	play inet send:050102 recv:0502 send:0105616c6963650178 recv:0101 eof \
		-- --rules="$rules" --users="$users"
	has end auth-failed
	# Where lines ask who it is, who offers a password means to say so.
	write_rules 'allow user=alice to any, internal' \
		'allow to any, internal port 1'
	play inet send:05020002 recv:0502 "${login[@]:2}" \
		"send:$(request4 2)" reply:05 eof -- \
		--rules="$rules" --users="$users"
	has user alice
}

@test "an empty password, where none is needed, is no password" {
	write_rules 'allow user=alice to any, internal' \
		'allow to any, internal port 1'
	play inet send:05020002 recv:0502 "${java[@]}" \
		"send:$(request4 1)" reply:05 eof -- \
		--rules="$rules" --users="$users"
	has user ""
	has ident root
	# Not one of the users, whatever it is called.
	play inet send:05020002 recv:0502 send:0105616c69636500 recv:0100 \
		"send:$(request4 2)" reply:02 eof -- \
		--rules="$rules" --users="$users"
	has ident alice
	# Where one is needed, it is a wrong one.
	play inet send:05020002 recv:0502 send:0104726f6f7400 recv:0101 eof -- \
		--users="$users"
	has end auth-failed
	has user root
}

@test "hashes that mkpasswd and htpasswd have made" {
	need mkpasswd htpasswd
	{
		printf 'yes:%s\n' "$(mkpasswd -m yescrypt one)"
		printf 'sha:%s\n' "$(mkpasswd -m sha-512 two)"
		htpasswd -nbB bcrypt three
	} | grep . >"$users"
	serve --users="$users"
	for login in yes:one sha:two bcrypt:three; do
		run get "$url" -U "$login"
		[ "$output" = "far away" ]
		recorded served
		has user "${login%%:*}"
	done
}

# stand_in_front NAME [HANDLEROPTION...]: a server on port 1080 that starts a
# handler for each client, and not on its socket.
stand_in_front()
{
	local name=$1

	shift
	copy_program
	SERVER_LOG=$BATS_TEST_TMPDIR/server.log
	set -- "$PROGRAM" --log=stderr "$@"
	case $name in
	ncat) set -- ncat -lk 1080 -e "$*" ;;
	socat) set -- socat TCP6-LISTEN:1080,ipv6only=0,reuseaddr,fork "EXEC:$*" ;;
	cat) # a pipe on 0, the client's socket on 1, and nobody says who
		set -- systemd-socket-activate --accept --inetd -l '[::]:1080' \
			-E SSH_CONNECTION sh -c "cat | $*"
		;;
	esac
	start_listening 1080 "$@"
	seen=0
}

@test "behind ncat and socat, whoever isn't here is remote" {
	need ncat socat
	for front in ncat socat cat; do
		stand_in_front "$front"
		asks send:050100 recv:05ff shut eof
		recorded no-method "*--users=FILE*--open"
		[[ $(field client) == *192.0.2.2:[1-9]* ]]
		"$HOSTS/client" tcp:127.0.0.1:1080 "${greet[@]}" \
			"send:$(request4 1)" reply:05 shut eof
		recorded refused "Connection refused"
		stop_superservers
	done
	rules=$BATS_TEST_TMPDIR/rules
	printf '%s\n' 'deny from 192.0.2.4 to any' \
		'allow from 192.0.2.0/24 to any' >"$rules"
	chmod 644 "$rules"
	for front in ncat socat; do
		stand_in_front "$front" --rules="$rules"
		asks "${greet[@]}" "send:$(name 192.0.2.2 8081)" reply:05 eof
		recorded refused "Connection refused"
		there "$HOSTS/client" -a 192.0.2.4 tcp:192.0.2.1:1080 \
			send:050100 recv:05ff eof
		recorded no-method
		"$HOSTS/client" tcp:127.0.0.1:1080 send:050100 recv:05ff eof
		recorded no-method
		stop_superservers
	done
}

@test "... and is nobody's uid, whoever logged in by ssh to start them" {
	need ncat socat
	rules=$BATS_TEST_TMPDIR/rules
	echo "allow uid=$(id -u) to any" >"$rules"
	chmod 644 "$rules"
	export SSH_CONNECTION='192.0.2.9 50123 192.0.2.1 22'
	for front in ncat socat cat; do
		stand_in_front "$front" --rules="$rules"
		asks send:050100 recv:05ff shut eof
		recorded no-method
		"$HOSTS/client" tcp:127.0.0.1:1080 send:050100 recv:05ff shut eof
		recorded no-method
		stop_superservers
	done
	# Without a server in between it is who has logged in.
	for kind in pipes socketpair; do
		play $kind "${greet[@]}" "send:05010001c00002021f91" reply:05 \
			shut closed -- --rules="$rules"
		has client "${kind/pipes/pipe}:192.0.2.9:50123"
	done
}

@test "a PROXY header names the client, and is mandatory then" {
	serve --proxy-protocol --open
	# Version 1, for a client elsewhere and for nobody.
	for header in 'PROXY TCP4 198.51.100.7 192.0.2.1 4711 1080' \
		'PROXY UNKNOWN'; do
		asks "text:$header\\r\\n" "${greet[@]}" \
			"send:$(name 192.0.2.2 8081)" reply:05 eof
		recorded refused "Connection refused"
		[[ $header != *TCP4* ]] || has client 198.51.100.7:4711
	done
	has client proxied:unknown
	# Version 2, glued to the greeting.
	asks send:0d0a0d0a000d0a515549540a2111000cc6336407c000020112670438050100 \
		recv:0500 "send:$(name 192.0.2.2 8081)" reply:05 eof
	recorded refused
	has client 198.51.100.7:4711
	# None: nobody is told anything.
	asks send:050100 eof
	recorded malformed "no PROXY header"
	# A client that comes through a proxy on this host is not a local one.
	end_process "${superserver_pids[-1]}"
	unset 'superserver_pids[-1]'
	seen=0
	serve --proxy-protocol
	run "$HOSTS/client" tcp:127.0.0.1:1080 \
		'text:PROXY TCP4 198.51.100.7 192.0.2.1 4711 1080\r\n' \
		send:050100 recv:05ff eof
	[ "$status" -eq 0 ]
}

@test "a PROXY header that names nobody is nobody: no rule for local, no uid" {
	rules=$BATS_TEST_TMPDIR/rules
	printf 'allow from local to any, internal\nallow uid=%s to any\n' \
		"$(id -u)" >"$rules"
	chmod 644 "$rules"
	v2=0d0a0d0a000d0a515549540a
	# UNKNOWN; LOCAL, also with addresses of loopback; UNSPEC; no transport;
	# families and transports that there aren't yet.
	headers=("send:$(hex_of $'PROXY UNKNOWN\r\n')"
		"send:$(hex_of $'PROXY UNKNOWN 127.0.0.1 127.0.0.1 1 2\r\n')"
		"send:${v2}20000000" "send:${v2}2011000c7f0000017f00000100010002"
		"send:${v2}21000000" "send:${v2}2110000c7f0000017f00000100010002"
		"send:${v2}2141000c7f0000017f00000100010002"
		"send:${v2}2113000c7f0000017f00000100010002")
	for kind in inet unix; do
		for header in "${headers[@]}"; do
			for options in "" "--rules=$rules"; do
				play $kind "$header" send:050100 recv:05ff eof \
					-- --proxy-protocol ${options:+"$options"}
				has end no-method
				has client proxied:unknown
			done
		done
	done
	# It may do what anybody may.
	play inet "${headers[4]}" "${greet[@]}" "send:$(request4 22)" reply:02 \
		eof -- --proxy-protocol --open
	has error "denied by built in:1 (deny to internal)"
}

@test "HAProxy in front, with send-proxy and send-proxy-v2" {
	haproxy=$SUPERSERVERS/haproxy/usr/sbin/haproxy
	need "$haproxy"
	serve --proxy-protocol --users="$users"
	for version in send-proxy send-proxy-v2; do
		cat >"$BATS_TEST_TMPDIR/haproxy.cfg" <<-END
			defaults
				mode tcp
				timeout connect 10s
				timeout client 10s
				timeout server 10s
			listen socks
				bind 192.0.2.3:1081
				server one 127.0.0.1:1080 $version
		END
		"$haproxy" -db -f "$BATS_TEST_TMPDIR/haproxy.cfg" 3>&- &
		front=$!
		wait_until listens "$front" 1081
		proxy=socks5h://192.0.2.3:1081
		run get "$url" -U alice:secret
		end_process "$front"
		[ "$output" = "far away" ]
		recorded served
		[[ $(field client) == 192.0.2.2:* || $(field client) == 192.0.2.4:* ]]
	done
}
