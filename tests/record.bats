#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The record: where it goes, what is in it, and that nobody can forge it.
# tests/systemd.bats has the journal.

load handler

teardown()
{
	handler_teardown
	if [ -n "${logger:-}" ]; then
		kill "$logger"
	fi
}

@test "one line, every field, for a session that went well" {
	start_target expect:ping text:hello eof
	play inet "${greet[@]}" "send:$(request_name localhost "$port")" \
		reply:00 text:ping expect:hello shut eof
	target_held
	[ "$(grep -c client= <<<"$stderr")" = 1 ]
	[[ $record =~ ^client=127\.0\.0\.1:[0-9]+\ command=CONNECT\ target=localhost:$port\ address=127\.0\.0\.1:$port\ reply=0\ bytes_up=4\ bytes_down=5\ handshake_ms=[0-9]+\ connect_ms=[0-9]+\ rtt_us=[0-9]+\ duration_ms=[0-9]+\ end=client-eof$ ]]
}

@test "the manual has every field, and no other" {
	sed -n 's/^\tfield([A-Z]*, *\([a-z0-9_]*\)).*/\1/p' \
		"$TOP/src/base/log.h" | sort >"$BATS_TEST_TMPDIR/fields"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/fields")" -ge 18 ]
	# Those of the list itself, not of the lists in it.
	sed -n '/^\.Sh THE RECORD/,/^\.Sh REPLIES/p' \
		"$TOP/man/socks5-handler.8" | awk '
		/^\.Bl/ { depth++ }
		/^\.El/ { depth-- }
		/^\.It Cm/ && depth == 1 { for (i = 3; i <= NF; i++)
			if ($i != ",") print $i }' |
		sort | diff "$BATS_TEST_TMPDIR/fields" -
}

@test "one record for a session that was refused, with the reason" {
	play inet "${greet[@]}" "send:$(request4 1)" reply:05 eof
	[ "$(grep -c client= <<<"$stderr")" = 1 ]
	[[ $record =~ \ reply=5\ bytes_up=0\ bytes_down=0\ .*\ end=refused\ error=\"Connection\ refused\"$ ]]
}

@test "one record for a connection that never said anything" {
	play inet close
	[ "$(grep -c client= <<<"$stderr")" = 1 ]
	[[ $record =~ ^client=127\.0\.0\.1:[0-9]+\ bytes_up=0\ bytes_down=0\ duration_ms=[0-9]+\ end=client-eof\ error=\"no\ request\ came\"$ ]]
}

@test "the client by kind of connection" {
	start_target eof
	play inet6 "${greet[@]}" "send:$(request4 "$port")" reply:00 shut eof
	[[ $(field client) =~ ^\[::1\]:[0-9]+$ ]]
	target_held
	play unix "${greet[@]}" "send:$(request4 1)" reply:05 eof
	[[ $(field client) =~ ^unix:uid=$(id -u),pid=[0-9]+$ ]]
	for kind in pipes socketpair; do
		play $kind "${greet[@]}" "send:$(request4 1)" reply:05 eof
		has client ${kind/pipes/pipe}
	done
}

@test "the environment names the client on a pipe or a pair, and only there" {
	export REMOTE_ADDR=192.0.2.7 REMOTE_PORT=4711
	# It isn't here then.
	play pipes send:050100 recv:05ff eof
	has client pipe:192.0.2.7:4711
	play socketpair send:050100 recv:05ff eof
	has client socketpair:192.0.2.7:4711
	play inet "${greet[@]}" "send:$(request4 1)" reply:05 eof
	[[ $(field client) == 127.0.0.1:* ]]
	play unix "${greet[@]}" "send:$(request4 1)" reply:05 eof
	[[ $(field client) == unix:uid=* ]]
	unset REMOTE_ADDR REMOTE_PORT
	SSH_CONNECTION="2001:db8::5 50123 192.0.2.1 22" \
		play pipes "${greet[@]}" "send:$(request4 1)" reply:05 eof
	has client 'pipe:[2001:db8::5]:50123'
	# A super-server in somebody's ssh session knows better.
	SSH_CONNECTION="2001:db8::5 50123 192.0.2.1 22" \
		NCAT_REMOTE_ADDR=192.0.2.8 NCAT_REMOTE_PORT=88 \
		play pipes send:050100 recv:05ff eof
	has client pipe:192.0.2.8:88
	TCPREMOTEIP=192.0.2.9 TCPREMOTEPORT=99 \
		play pipes send:050100 recv:05ff eof
	has client pipe:192.0.2.9:99
}

@test "nothing that a peer chose can forge a record" {
	play inet "${greet[@]}" \
		"send:05010003$(printf %02x 31)$(hex_of 'x end=client-eof"')0a$(hex_of 'client=1.2.3')000050" \
		reply:01 eof
	[ "$(grep -c . <<<"$stderr")" = 1 ]
	has target 'x\x20end=client-eof\x22\x0aclient=1.2.3\x00:80'
	REMOTE_HOST=$'evil\nclient=forged end="x"' \
		play pipes send:050100 recv:05ff eof
	[ "$(grep -c . <<<"$stderr")" = 1 ]
	[[ $(field client) == 'pipe:evil\x0aclient=forged\x20end=\x22x\x22:' ]]
}

@test "bytes of a name that are not ASCII are escaped" {
	play inet "${greet[@]}" send:0501000304c3bc2e780050 reply:04 eof
	has target '\xc3\xbc.x:80'
}

@test "--log=none leaves nothing" {
	log=--log=none
	play inet "${greet[@]}" "send:$(request4 1)" reply:05 eof
	[ -z "$stderr" ]
}

@test "without journal and syslog, auto is standard error" {
	if [ -S /run/systemd/journal/socket ] || [ -S /dev/log ]; then
		skip "this machine has a journal or syslog"
	fi
	log=--log=auto
	play inet "${greet[@]}" "send:$(request4 1)" reply:05 eof
	has reply 5
	# A target that isn't there hands over to the next.
	log=--log=syslog
	play inet "${greet[@]}" "send:$(request4 1)" reply:05 eof
	has reply 5
}

# bats test_tags=libsystemd
@test "without journal and syslog, the journal is standard error" {
	if [ -S /run/systemd/journal/socket ] || [ -S /dev/log ]; then
		skip "this machine has a journal or syslog"
	fi
	log=--log=journal
	play inet "${greet[@]}" "send:$(request4 1)" reply:05 eof
	has reply 5
}

@test "standard error that is the client's gets nothing, ever" {
	start_target text:hello eof
	if [ -S /run/systemd/journal/socket ] || [ -S /dev/log ]; then
		skip "this machine has a journal or syslog"
	fi
	log=--log=auto
	# There is none that could have the record.
	expected="exit 71"
	play -2 inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
		expect:hello shut eof
	target_held
	play -2 inet "${greet[@]}" "send:$(request4 1)" reply:05 eof
	play -2 pipes "${greet[@]}" "send:$(request4 1)" reply:05 eof
	log=--log=none expected="exit 0"
	play -2 pipes "${greet[@]}" "send:$(request4 1)" reply:05 eof
	# Not even a sentence about bad usage.
	expected="exit 64"
	play -2 inet eof -- --nonsense
	log=--log=stderr
	play -2 inet eof
}

# with_syslog READER COMMAND...: with mounts of its own, in which READER, words
# for the shell, reads /dev/log to $messages and nothing else listens.
with_syslog()
{
	need_namespaces
	messages=$BATS_TEST_TMPDIR/messages
	unshare -rm sh -c '
		mount -t tmpfs none /run && mkdir /run/dev &&
		cp -a /dev/null /dev/zero /dev/urandom /run/dev 2>/dev/null
		mount -t tmpfs none /mnt && mkdir /mnt/dev /mnt/old
		touch /mnt/dev/null && mount --bind /dev/null /mnt/dev/null
		mount --bind /mnt/dev /dev
		eval "$1 &"
		logger=$!
		shift
		until [ -S /dev/log ] || [ $((i = i + 1)) -gt 500 ]; do
			sleep 0.01; done
		"$@"
		status=$?
		until grep -q " end=" "$0" 2>/dev/null ||
			[ $((n = n + 1)) -gt 200 ]; do sleep 0.01; done
		kill $logger
		wait $logger
		exit $status' "$messages" "$@"
}

@test "syslog: a real syslogd gets the line" {
	need busybox
	# shellcheck disable=SC2016 # for the inner shell
	with_syslog 'busybox syslogd -n -O "$0"' "$HOSTS/client" -2 inet \
		"${greet[@]}" "send:$(request4 1)" reply:05 eof -- "$HANDLER"
	grep '^[A-Z][a-z][a-z] .* daemon.notice socks5-handler\[[0-9]*\]: client=127.0.0.1:.* reply=5 ' \
		"$messages"
	[ "$(grep -c client= "$messages")" = 1 ]
}

@test "syslog: the longest name leaves the rest of the record whole" {
	local name

	need socat
	name=$(printf 'ff%.0s' {1..255})
	# shellcheck disable=SC2016 # for the inner shell
	with_syslog 'socat -u UNIX-RECV:/dev/log "CREATE:$0"' "$HOSTS/client" \
		inet "${greet[@]}" "send:05010003ff${name}0050" reply:04 eof \
		-- "$HANDLER" --log=syslog
	record=$(cat "$messages")
	echo "$record"
	[[ $record =~ ^\<29\>socks5-handler\[[0-9]+\]:\ client=127 ]]
	has target "${name//ff/\\xff}:80"
	has reply 4
	has end refused
}

# bats test_tags=static
@test "the static build passes the journal by" {
	need_strace
	"$HOSTS/client" inet "${greet[@]}" "send:$(request4 1)" reply:05 eof \
		-- strace -D -e trace=connect -o "$BATS_TEST_TMPDIR/trace" \
		"$HANDLER"
	trace_is_whole
	cat "$BATS_TEST_TMPDIR/trace"
	grep -q '"/dev/log"' "$BATS_TEST_TMPDIR/trace"
	run ! grep journal "$BATS_TEST_TMPDIR/trace"
}
