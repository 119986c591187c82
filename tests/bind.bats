#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# BIND: both replies, who is let in, and active FTP by a real client from a
# real server. tests/socks4.bats has SOCKS4's.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load handler
load superservers

setup()
{
	out=$BATS_TEST_TMPDIR/binding.out
	err=$BATS_TEST_TMPDIR/binding.err
	go=$BATS_TEST_TMPDIR/go
	client=
}

teardown()
{
	if [ -n "$client" ]; then
		kill "$client" 2>/dev/null || :
		wait "$client" 2>/dev/null || :
	fi
	[ -z "${PROGRAM:-}" ] || stop_superservers
	handler_teardown
}

# What the handler is told for DST; the port is never looked at.
bind4=050200017f0000010000
bind6=05020004000000000000000000000000000000010000
bind_anyone=05020001000000000000
bind_name=05020003096c6f63616c686f73740000 # localhost

# start_binding KIND REQUEST STEP... [-- HANDLEROPTION...]: a client that asks
# for BIND, in the background; once it has the first reply, $bound_address and
# $bound_port are what that says. The steps come after it.
start_binding()
{
	local kind=$1 request=$2
	local -a steps=()

	shift 2
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	shift || :
	: >"$out" # of the one before
	"$HOSTS/client" "$kind" "${greet[@]}" "send:$request" reply:00 \
		"${steps[@]}" -- "$HANDLER" --log=stderr "$@" \
		>"$out" 2>"$err" 3>&- &
	client=$!
	wait_until grep -q '^bnd ' "$out"
	read -r _ bound_address bound_port <"$out"
}

# binding_held: its steps have; the record is there for field(), and the second
# reply's address and port in $peer_address and $peer_port.
binding_held()
{
	local status=0

	wait "$client" || status=$?
	client=
	cat "$out" "$err"
	record=$(sed -n 's/^socks5-handler: \(client=\)/\1/p' "$err")
	read -r _ peer_address peer_port < <(grep '^bnd ' "$out" | sed 1d) || :
	[ "$status" -eq 0 ]
}

# peer_comes STEP...: to where the first reply said.
peer_comes()
{
	local at=$bound_address

	[[ $at != *:* ]] || at="[$at]"
	"$HOSTS/client" "tcp:$at:$bound_port" "$@"
}

# stranger_comes ADDRESS: from there, says something, and is turned away.
stranger_comes()
{
	run timeout 10 socat - \
		"TCP:$bound_address:$bound_port,bind=$1" </dev/zero 3>&-
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"reset by peer"* || $output == *"Broken pipe"* ]]
}

@test "both replies say who is where, and payload goes both ways" {
	for request in $bind4 $bind6 $bind_anyone $bind_name; do
		case $request in
		"$bind6") address=::1 ;;
		*) address=127.0.0.1 ;;
		esac
		start_binding inet "$request" reply:00 text:ping expect:pong \
			eof shut
		[ "$request" = $bind_name ] || [ "$bound_address" = $address ]
		[ "$bound_port" -gt 0 ]
		peer_comes expect:ping text:pong shut eof
		binding_held
		[ "$peer_address" = "$bound_address" ]
		[ "$peer_port" -gt 0 ]
		has command BIND
		has reply 0
		has bytes_up 4
		has bytes_down 4
		has end target-eof
		[[ $(field address) == *"$peer_address"*":$peer_port" ]]
	done
}

@test "an IPv4-mapped address is IPv4" {
	start_binding inet 0502000400000000000000000000ffff7f0000010000 \
		reply:00 shut eof
	[ "$bound_address" = 127.0.0.1 ]
	peer_comes shut eof
	binding_held
}

@test "what the client sends before the peer is there goes out first" {
	start_binding inet "$bind4$(hex_of early)" text:,later reply:00 shut eof
	peer_comes expect:early,later eof shut
	binding_held
	has bytes_up 11
}

@test "a client that has sent its end already is served" {
	start_binding inet "$bind4$(hex_of ping)" shut reply:00 expect:pong eof
	peer_comes expect:ping eof text:pong shut
	binding_held
}

@test "a stranger is turned away, and the wait goes on" {
	need socat
	start_binding inet $bind4 reply:00 expect:hello eof shut
	stranger_comes 127.0.0.2
	stranger_comes 127.0.0.3
	peer_comes text:hello shut eof
	binding_held
	[ "$peer_address" = 127.0.0.1 ]
	has bytes_down 5
}

@test "for 0.0.0.0 anyone may come" {
	need socat
	start_binding inet $bind_anyone reply:00 expect:hello eof shut
	printf hello | timeout 10 socat - \
		"TCP:$bound_address:$bound_port,bind=127.0.0.2"
	binding_held
	[ "$peer_address" = 127.0.0.2 ]
}

@test "one connection, and nobody after it" {
	start_binding inet $bind4 reply:00 "await:$go" shut eof
	peer_comes "touch:$go" eof shut &
	target=$!
	wait_until [ -e "$go" ]
	run ! peer_comes eof
	wait "$target"
	target=
	binding_held
}

@test "nobody comes: a second reply, 04, when the time is over" {
	play inet "${greet[@]}" send:$bind4 reply:00 reply:04 eof -- \
		--connect-timeout=0.3
	has end connect-timeout
	has reply 4
	at_least "$(field connect_ms)" 300
}

@test "only strangers come: 04 all the same" {
	need socat
	start_binding inet $bind4 reply:04 eof -- --connect-timeout=2
	stranger_comes 127.0.0.2
	binding_held
	has end connect-timeout
}

@test "a client that resets while it waits is not waited for" {
	play inet "${greet[@]}" send:$bind4 reply:00 hold:100 abort wait -- \
		--connect-timeout=60
	has end client-reset
	at_most "$(field duration_ms)" 10000
}

@test "SIGTERM ends the wait" {
	play inet "${greet[@]}" send:$bind4 reply:00 kill:TERM reply:01 eof
	has end terminated
}

@test "on a pipe or a Unix socket only who comes has to be known" {
	for kind in pipes unix; do
		start_binding $kind $bind4 reply:00 text:ping eof shut
		[ "$bound_address" = 127.0.0.1 ]
		peer_comes expect:ping shut eof
		binding_held
		play $kind "${greet[@]}" send:$bind_anyone reply:07 eof
		has end refused
	done
}

@test "a name that is not found is REP 04, and no first reply" {
	play inet "${greet[@]}" \
		"send:0502$(request_name no-such.invalid 0 | cut -c 5-)" \
		reply:04 eof
	has command BIND
}

# --- between networks with addresses of their own -------------------------

# Sourced by the tests' scripts below: we are 192.0.2.9 and 2001:db8:9::9; what
# is started by `there COMMAND...` is behind a wire, 198.51.100.1 and
# 2001:db8:1::1. Each side knows a way to the other's address alone: libdsocks
# goes by itself to what is on a network of its own.
two_networks='
	set -eu
	ip link set lo up
	unshare --net sleep 60 & far=$!
	trap "kill $far" EXIT
	for ((i = 0; i < 500; i++)); do
		[ "$(readlink /proc/$far/ns/net)" = "$(readlink /proc/$$/ns/net)" ] ||
			break
		sleep 0.01
	done
	there()
	{
		nsenter -t "$far" --net "$@"
	}
	ip link add near type veth peer name far netns "$far"
	ip address add 192.0.2.9/32 dev near
	ip address add 2001:db8:9::9/128 dev near nodad
	ip link set near up
	there ip address add 198.51.100.1/32 dev far
	there ip address add 2001:db8:1::1/128 dev far nodad
	there ip link set far up
	there ip link set lo up
	ip route add 198.51.100.1 dev near
	ip route add 2001:db8:1::1 dev near
	there ip route add 192.0.2.9 dev far
	there ip route add 2001:db8:9::9 dev far
	wait_for()
	{
		for ((i = 0; i < 1000; i++)); do
			! "$@" >/dev/null 2>&1 || return 0
			sleep 0.01
		done
		echo "waited in vain for: $*" >&2
		return 1
	}
'

# in_two_networks SCRIPT: in bash, as above. Leaves $output and $stderr.
in_two_networks()
{
	need_namespaces
	need ip nsenter
	run --separate-stderr timeout -k 5 60 unshare -rnm bash -c \
		"$two_networks $1" bash "$BATS_TEST_TMPDIR" 3>&-
	echo "$output"
	echo "$stderr"
	[ "$status" -eq 0 ]
}

@test "the first reply's address is one that the peer can reach" {
	in_two_networks '
		for request in 05020001c63364010000 \
			0502000420010db80001000000000000000000010000; do
			rm -f "$1/out"
			"$HOSTS/client" inet send:050100 recv:0500 \
				send:$request reply:00 reply:00 text:ping \
				expect:pong eof shut -- \
				"$HANDLER" --log=stderr >"$1/out" & client=$!
			wait_for grep "^bnd" "$1/out"
			read -r _ address port <"$1/out"
			[[ $address != *:* ]] || address="[$address]"
			there "$HOSTS/client" "tcp:$address:$port" \
				expect:ping text:pong shut eof
			wait $client
			cat "$1/out"
		done'
	[[ ${lines[0]} == "bnd 192.0.2.9 "* ]]
	[[ ${lines[1]} == "bnd 198.51.100.1 "* ]]
	[[ ${lines[3]} == "bnd 2001:db8:9::9 "* ]]
	[[ ${lines[4]} == "bnd 2001:db8:1::1 "* ]]
}

@test "no way to the peer: REP 03, and no first reply" {
	in_two_networks '
		"$HOSTS/client" inet send:050100 recv:0500 \
			send:05020001cb0071010000 reply:03 eof -- \
			"$HANDLER" --log=stderr'
	record=${stderr#socks5-handler: }
	has error "Network is unreachable"
}

# active_ftp VERSION: gets, puts and lists, with PORT and EPRT.
active_ftp()
{
	need socksify tnftp socat /usr/bin/python3
	/usr/bin/python3 -c 'import pyftpdlib' 2>/dev/null ||
		unavailable "pyftpdlib is missing"
	mkdir "$BATS_TEST_TMPDIR/served" "$BATS_TEST_TMPDIR/home"
	head -c 1M /dev/urandom >"$BATS_TEST_TMPDIR/served/file"
	cat >"$BATS_TEST_TMPDIR/socks.conf" <<-END
		route {
			from: 0.0.0.0/0 to: 0.0.0.0/0
			via: 127.0.0.1 port = 1080
			proxyprotocol: socks_v$1
			command: connect bind
			method: none
		}
	END
	in_two_networks '
		export HOME=$1/home SOCKS_CONF=$1/socks.conf
		# Not by a function: the process to be ended is this one.
		nsenter -t "$far" --net /usr/bin/python3 -m pyftpdlib \
			-i 198.51.100.1 -p 21 -w -d "$1/served" \
			>"$1/server.log" 2>&1 & server=$!
		socat TCP-LISTEN:1080,bind=127.0.0.1,fork \
			EXEC:"$HANDLER --log=stderr",nofork & listener=$!
		trap "kill $far $server $listener" EXIT
		wait_for grep "starting FTP server" "$1/server.log"
		wait_for grep ":0438 .* 0A " /proc/net/tcp
		wait_for there grep ":0015 .* 0A " /proc/net/tcp
		cd "$HOME"
		timeout 40 socksify tnftp -n -A 198.51.100.1 <<-\END
			user anonymous x
			binary
			get file
			put file up
			epsv4
			ls
			quit
		END
		for ((i = 0; i < 1000; i++)); do
			[ "$(pgrep -c -P $listener)" != 0 ] || break
			sleep 0.01
		done
		cat "$1/server.log"'
	cmp "$BATS_TEST_TMPDIR/served/file" "$BATS_TEST_TMPDIR/home/file"
	cmp "$BATS_TEST_TMPDIR/served/file" "$BATS_TEST_TMPDIR/served/up"
	# The list has both.
	[ "$(grep -c ' 1048576 .* \(file\|up\)$' <<<"$output")" -eq 2 ]
	records=$(grep -c 'command=BIND target=198\.51\.100\.1:.*address=198\.51\.100\.1:.* reply=0 ' <<<"$stderr")
	[ "$records" -eq 3 ]
	grep -q 'bytes_up=0 bytes_down=1048576 ' <<<"$stderr"
	grep -q 'bytes_up=1048576 bytes_down=0 ' <<<"$stderr"
}

@test "active FTP: dante's socksify, tnftp, pyftpdlib" {
	active_ftp 5
}

@test "active FTP over SOCKS4" {
	active_ftp 4
}

# --- a client from elsewhere ----------------------------------------------

@test "node's socks" {
	need node socat
	export NODE_PATH=/usr/share/nodejs # where Debian has them
	node -e 'require("socks")' || unavailable "node-socks is missing"
	start_superserver socat-nofork --log=stderr
	timeout 20 node -e '
const {SocksClient} = require("socks");
const client = new SocksClient({
	proxy: {host: "127.0.0.1", port: Number(process.argv[1]), type: 5},
	command: "bind",
	destination: {host: "127.0.0.1", port: 0},
});
client.on("error", (e) => { throw e; });
client.on("bound", (info) => {
	console.log("bnd", info.remoteHost.host, info.remoteHost.port);
});
client.on("established", (info) => {
	let came = "";
	info.socket.on("data", (data) => { came += data; });
	info.socket.on("end", () => {
		console.log("peer", info.remoteHost.host,
		    info.remoteHost.port, came);
		info.socket.end("pong");
	});
	info.socket.resume();
});
client.connect();' "$PORT" >"$out" 3>&- &
	client=$!
	wait_until grep -q '^bnd 127\.0\.0\.1 ' "$out"
	read -r _ bound_address bound_port <"$out"
	peer_comes text:ping shut expect:pong eof
	wait "$client"
	client=
	wait_for_records 1
	cat "$out"
	has end target-eof
	peer=$(field address)
	grep -q "^peer 127\.0\.0\.1 ${peer##*:} ping$" "$out"
}
