#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The units of a process for each connection, as they are installed, under a real
# systemd.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load systemd

setup_file()
{
	boot_systemd socks5-handler@.service
	[ -z "${LEFT_OUT:-}" ] || return 0
	inside systemctl enable -q --now socks5-handler.socket
}

teardown_file()
{
	end_systemd
}

setup()
{
	enter_systemd
}

teardown()
{
	handler_teardown
	[ -z "${LEFT_OUT:-}" ] || return 0
	restore_configuration
	# Stops what a test left running, and takes its drop-ins back.
	inside systemctl stop 'socks5-handler@*.service'
	if [ -n "$(ls "$run_units")" ]; then
		inside find /run/systemd/system -mindepth 1 -delete
		inside systemctl daemon-reload
		inside systemctl restart socks5-handler.socket
	fi
	inside systemctl reset-failed
}

instances()
{
	inside systemctl list-units --plain --no-legend --all \
		'socks5-handler@*.service' | awk '{ print $1 }'
}

no_instances()
{
	[ -z "$(instances)" ]
}

# wait_for_journal N [MATCH...]: exactly so many match, once all instances are
# gone. Leaves the last of them in $record, as a line, and $fields, as JSON.
wait_for_journal()
{
	wait_until no_instances
	inside journalctl --sync
	journal -o cat
	[ "$(journal -o cat MESSAGE_ID="$message_id" "${@:2}" | wc -l)" -eq "$1" ]
	record=$(journal -o cat MESSAGE_ID="$message_id" "${@:2}" | tail -n 1)
	fields=$(journal -o json MESSAGE_ID="$message_id" "${@:2}" | tail -n 1)
}

# --- tunnels ---

# open_instance STEP...: a tunnel as open_tunnel makes it, whose unit is
# $instance, and its process $pid.
open_instance()
{
	open_tunnel tcp:127.0.0.1:1080 "$@"
	instance=$(instances)
	pid=$(inside systemctl show -P MainPID "$instance")
}

# status_of_instance FIELD: from /proc/$pid/status
status_of_instance()
{
	inside awk -v field="$1:" '$1 == field { print $2 }' "/proc/$pid/status"
}

@test "curl through both addresses" {
	fetch "$BATS_TEST_TMPDIR/4" -x "$proxy" "$url"
	wait_for_journal 1
	[[ $(field client) =~ ^127\.0\.0\.1:[0-9]+$ ]]
	fetch "$BATS_TEST_TMPDIR/6" -x 'socks5h://[::1]:1080' "$url"
	wait_for_journal 2
	[[ $(field client) =~ ^\[::1\]:[0-9]+$ ]]
	came_whole "$BATS_TEST_TMPDIR"/[46]
	no_failed_units
}

@test "a record is a message with a field for each value" {
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
	wait_for_journal 1 SOCKS5_REPLY=0
	echo "$fields"
	[[ $(json SOCKS5_CLIENT) =~ ^127\.0\.0\.1:[0-9]+$ ]]
	[ "$(json SOCKS5_COMMAND)" = CONNECT ]
	[ "$(json SOCKS5_TARGET)" = "localhost:$WEB_PORT" ]
	[ "$(json SOCKS5_ADDRESS)" = "127.0.0.1:$WEB_PORT" ]
	[ "$(json SOCKS5_REPLY)" = 0 ]
	at_least "$(json SOCKS5_BYTES_UP)" 20
	at_least "$(json SOCKS5_BYTES_DOWN)" 3145728
	at_least "$(json SOCKS5_HANDSHAKE_MS)" 0
	at_least "$(json SOCKS5_CONNECT_MS)" 0
	at_least "$(json SOCKS5_DURATION_MS)" 0
	[[ $(json SOCKS5_END) =~ ^(client|target)-eof$ ]]
	[ "$(json MESSAGE)" = "$record" ]
	[ "$(json PRIORITY)" = 6 ]
	[ "$(json SYSLOG_IDENTIFIER)" = socks5-handler ]
	[ "$(json _TRANSPORT)" = journal ]
	[[ $(json _SYSTEMD_UNIT) == socks5-handler@*.service ]]
	# What journald finds in /proc of a process that is not dumpable.
	[ "$(json _EXE)" = /usr/bin/socks5-handler ]
	[[ $(json _CMDLINE) == /usr/bin/socks5-handler* ]]
}

@test "an instance can't reach another one, nor can anybody else of its user" {
	# Not every directory of this machine is seen in there.
	inside sh -c 'cat >/usr/bin/peek && chmod 755 /usr/bin/peek' \
		<"$TOP/build/${BUILD:-release}/tests/hosts/peek"
	start_target eof
	open_instance shut eof
	inside setpriv --reuid=socks5-handler --regid=socks5-handler \
		--clear-groups sleep 60 3>&- &
	sleeper=$!
	wait_until inside pgrep -u socks5-handler -x sleep
	for other in "$pid" "$(inside pgrep -u socks5-handler -x sleep)"; do
		inside setpriv --reuid=socks5-handler --regid=socks5-handler \
			--clear-groups peek "$other"
	done >"$BATS_TEST_TMPDIR/peeked"
	kill $sleeper
	cat "$BATS_TEST_TMPDIR/peeked"
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/peeked")" = denied ]
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/peeked")" = open ]
	close_tunnel
}

@test "twenty at once: twenty records, and no instance left" {
	local i pid
	local -a pids=()

	for i in {1..20}; do
		fetch "$BATS_TEST_TMPDIR/$i.out" -x "$proxy" "$url" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	came_whole "$BATS_TEST_TMPDIR"/*.out
	wait_for_journal 20 SOCKS5_REPLY=0
	[ "$(journal -o cat --output-fields=SOCKS5_CLIENT \
		MESSAGE_ID="$message_id" | sort -u | wc -l)" -eq 20 ]
	# journald asks /proc whose they are: each process has waited for that.
	[ "$(journal -o cat --output-fields=_SYSTEMD_UNIT \
		MESSAGE_ID="$message_id" | grep -c '^socks5-handler@')" -eq 20 ]
	no_failed_units
}

@test "more clients at once than systemd's own limit of 64" {
	# shellcheck disable=SC2016 # for the inner shell
	in_network bash -c '
		for ((i = 0; i < 70; i++)); do
			exec {fd}<>/dev/tcp/127.0.0.1/1080
		done
		"$@"' bash curl -q -sS --noproxy '' --max-time 30 \
		-o "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url" 3>&-
	came_whole "$BATS_TEST_TMPDIR/file"
	wait_for_journal 71
	wait_for_journal 70 SOCKS5_END=client-eof SOCKS5_ERROR="no request came"
	no_failed_units
}

@test "a refusal is recorded, and is no failure of the unit" {
	run ! fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" http://127.0.0.1:9/
	wait_for_journal 1 SOCKS5_REPLY=5
	[ "$(json SOCKS5_END)" = refused ]
	[ "$(json SOCKS5_ERROR)" = "Connection refused" ]
	[ "$(json PRIORITY)" = 5 ]
	no_failed_units
}

@test "an instance has no privilege, nothing to write to, and only its own descriptors" {
	start_target expect:bye eof
	open_instance text:bye shut closed
	[ "$(status_of_instance Uid)" = "$(inside id -u socks5-handler)" ]
	[ "$(status_of_instance Gid)" = "$(inside id -g socks5-handler)" ]
	[ "$(status_of_instance Groups)" = "$(status_of_instance Gid)" ]
	[ "$(status_of_instance CapEff)" = 0000000000000000 ]
	[ "$(status_of_instance CapBnd)" = 0000000000000000 ]
	[ "$(status_of_instance NoNewPrivs)" = 1 ]
	[ "$(status_of_instance Seccomp)" = 2 ]
	[ "$(inside ls -m "/proc/$pid/fd")" = "0, 1, 2, 3" ]
	[ "$(inside readlink "/proc/$pid/fd/2")" != \
		"$(inside readlink "/proc/$pid/fd/0")" ]
	# Nowhere but in a /tmp of its own.
	for place in / /etc /home /root /run /var/lib; do
		inside nsenter -t "$pid" -m findmnt -n -o VFS-OPTIONS \
			-T $place | grep -qw ro
	done
	inside touch /tmp/everybody
	inside nsenter -t "$pid" -m [ ! -e /tmp/everybody ]
	close_tunnel
	wait_for_journal 1 SOCKS5_END=client-eof
}

@test "a tunnel goes on while the socket is restarted and the program replaced" {
	start_target expect:bye text:thanks eof
	open_instance text:bye expect:thanks shut closed
	inside cp /usr/bin/socks5-handler /usr/bin/socks5-handler.new
	inside mv /usr/bin/socks5-handler.new /usr/bin/socks5-handler
	inside systemctl restart socks5-handler.socket
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
	came_whole "$BATS_TEST_TMPDIR/file"
	close_tunnel
	wait_for_journal 2 SOCKS5_REPLY=0
}

@test "systemctl stop of an instance: reset on both sides, and a record" {
	start_target drain-reset
	open_instance reset
	inside systemctl stop "$instance"
	close_tunnel
	wait_for_journal 1 SOCKS5_END=terminated
	no_failed_units
}

@test "--lifetime: reset on both sides, and a record" {
	configure 'lifetime 0.5'
	start_target text:hello drain-reset
	open_instance expect:hello reset
	close_tunnel
	wait_for_journal 1 SOCKS5_END=lifetime
	at_least "$(field duration_ms)" 500
	no_failed_units
}

# --- what the administrator writes ---

# closed_on: a client is, without a byte, and the unit has not failed for good.
closed_on()
{
	"$HOSTS/client" tcp:127.0.0.1:1080 closed
	wait_until no_instances
	no_failed_units
}

@test "a user who is taken out of the users file is out with the next connection" {
	write_users alice:secret bob:word
	configure 'users /etc/socks5-handler/users' \
		'rules /etc/socks5-handler/rules'
	fetch "$BATS_TEST_TMPDIR/1" -x "$proxy" -U alice:secret "$url"
	came_whole "$BATS_TEST_TMPDIR/1"
	inside htpasswd -D /etc/socks5-handler/users alice
	run ! fetch "$BATS_TEST_TMPDIR/2" -x "$proxy" -U alice:secret "$url"
	fetch "$BATS_TEST_TMPDIR/3" -x "$proxy" -U bob:word "$url"
	came_whole "$BATS_TEST_TMPDIR/3"
	wait_for_journal 3
	wait_for_journal 1 SOCKS5_USER=alice SOCKS5_END=auth-failed
}

# check [OPTION...]: what the recipe runs before a file counts, as the account.
check()
{
	inside runuser -u socks5-handler -- socks5-handler \
		--config=/etc/socks5-handler/handler.conf "$@" --check
}

@test "a mistake in the users file: nobody gets in, the line is named, --check finds it" {
	local file=/etc/socks5-handler/users last

	configure "users $file" 'rules /etc/socks5-handler/rules'
	write_users alice:secret bob:word
	check
	fetch "$BATS_TEST_TMPDIR/1" -x "$proxy" -U alice:secret "$url"
	last=$(inside grep -c '' $file)
	# A second line for a name.
	inside sed -n '/^alice/p' $file | inside tee -a $file >/dev/null
	run check
	echo "$output"
	[ "$status" -eq 64 ]
	[[ $output == *"$file:$((last + 1)): the same name as in line $((last - 1)); "* ]]
	closed_on
	complains "$file:$((last + 1)): the same name as in line*"
	# An empty hash.
	inside sed -i "$((last + 1))s/:.*/:/; $((last + 1))s/alice/carol/" $file
	run check
	echo "$output"
	[ "$status" -eq 64 ]
	[[ $output == *"$file:$((last + 1)): "*"; make one with "* ]]
	closed_on
	complains "$file:$((last + 1)): *"
	# In a copy, which is the account's to read as well.
	inside cp -p $file $file.new
	run check --users=$file.new
	[ "$status" -eq 64 ]
	inside sed -i '$d' $file.new
	check --users=$file.new
	inside mv $file.new $file
	fetch "$BATS_TEST_TMPDIR/2" -x "$proxy" -U alice:secret "$url"
	# What only root can read is found by the account alone.
	inside chmod 600 $file
	run ! check
	[[ $output == *"--users=$file: this process may not read it; "* ]]
	closed_on
}

@test "what others than the administrator could write is not believed" {
	local file

	for file in handler.conf rules users; do
		write_users alice:secret
		configure 'rules /etc/socks5-handler/rules' \
			'users /etc/socks5-handler/users'
		check
		inside chmod g+w "/etc/socks5-handler/$file"
		run check
		echo "$output"
		[ "$status" -eq 64 ]
		[[ $output == *"/etc/socks5-handler/$file: others can write to it; chmod go-w "* ]]
		closed_on
		complains "*/etc/socks5-handler/$file: others can write to it; *"
		inside chmod g-w "/etc/socks5-handler/$file"
	done
}

@test "without handler.conf all is as it is by default; a link to nowhere is a mistake" {
	configured=yes
	inside rm /etc/socks5-handler/handler.conf
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
	came_whole "$BATS_TEST_TMPDIR/file"
	wait_for_journal 1 SOCKS5_REPLY=0
	inside ln -s nowhere /etc/socks5-handler/handler.conf
	closed_on
	complains "--config=/etc/socks5-handler/handler.conf: No such file*"
	inside rm -r /etc/socks5-handler
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
}

@test "the rules as they are installed: a local client reaches anything" {
	configure 'rules /etc/socks5-handler/rules'
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
	wait_for_journal 1 SOCKS5_REPLY=0
}

@test "a credential is the file as it was, for the account to read" {
	write_users alice:secret
	inside install -m 600 /etc/socks5-handler/users /etc/credential
	drop_in socks5-handler@.service ExecStart= \
		"ExecStart=/usr/bin/socks5-handler --users=%d/users --rules=/etc/socks5-handler/rules" \
		LoadCredential=users:/etc/credential
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" -U alice:secret "$url"
	wait_for_journal 1 SOCKS5_USER=alice SOCKS5_REPLY=0
}

# --- sockets ---

@test "without StandardInput=socket: LISTEN_FDS" {
	drop_in socks5-handler@.service StandardInput=null
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
	came_whole "$BATS_TEST_TMPDIR/file"
	wait_for_journal 1 SOCKS5_REPLY=0
	[[ $(field client) =~ ^127\.0\.0\.1:[0-9]+$ ]]
	start_target expect:bye eof
	open_instance text:bye shut closed
	[ "$(inside ls -m "/proc/$pid/fd")" = "0, 1, 2, 3" ]
	close_tunnel
	wait_for_journal 2 SOCKS5_REPLY=0
	no_failed_units
}

@test "on a Unix socket the record names the process" {
	drop_in socks5-handler.socket ListenStream= \
		ListenStream=/run/socks5.sock SocketMode=0660
	[ "$(inside stat -c %a /run/socks5.sock)" = 660 ]
	# All of the sandbox, for its path and its process ids.
	inside sh -c 'echo $$ >/run/client.pid; exec "$@"' sh \
		curl -q -sS --noproxy '' --max-time 30 -o /sandbox/file \
		-x socks5h://localhost/run/socks5.sock "$url"
	came_whole "$STATE/file"
	wait_for_journal 1 SOCKS5_REPLY=0
	has client "unix:uid=0,pid=$(inside cat /run/client.pid)"
	no_failed_units
}

@test "the Unix socket that is shipped: who may connect, and the same instances" {
	local socket=/run/socks5-handler/socket

	drop_in socks5-handler-unix.socket SocketGroup=nogroup
	[ "$(inside stat -c '%a %U:%G' $socket)" = "660 root:nogroup" ]
	for group in nogroup socks5-handler; do
		inside setpriv --reuid=54321 --regid=$group --clear-groups \
			curl -q -sS --noproxy '' --max-time 30 -o /dev/null \
			-x "socks5h://localhost$socket" "$url" || [ $group != nogroup ]
	done
	wait_for_journal 1 SOCKS5_REPLY=0
	[[ $(field client) == unix:uid=54321,* ]]
	[[ $(json _SYSTEMD_UNIT) == socks5-handler@*.service ]]
	# What an administrator says of socks5-handler@.service holds here.
	drop_in socks5-handler@.service Environment=SOMETHING=else
	[[ $(inside systemctl show -P Environment \
		socks5-handler-unix@1.service) == *SOMETHING=else ]]
	inside systemctl stop socks5-handler-unix.socket
	inside [ ! -e $socket ]
	no_failed_units
}

@test "--log=syslog comes to the journal as a line" {
	configure 'log syslog'
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
	came_whole "$BATS_TEST_TMPDIR/file"
	wait_until no_instances
	inside journalctl --sync
	[ -z "$(journal MESSAGE_ID="$message_id")" ]
	record=$(journal -o cat _TRANSPORT=syslog SYSLOG_IDENTIFIER=socks5-handler)
	[ "$(wc -l <<<"$record")" -eq 1 ]
	has target "localhost:$WEB_PORT"
	has reply 0
}

@test "--log=stderr comes to the journal as a line" {
	configure 'log stderr'
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
	came_whole "$BATS_TEST_TMPDIR/file"
	wait_until no_instances
	inside journalctl --sync
	[ -z "$(journal MESSAGE_ID="$message_id")" ]
	record=$(journal -o cat _TRANSPORT=stdout)
	record=${record#socks5-handler: }
	has target "localhost:$WEB_PORT"
	has reply 0
}

# complains SENTENCE-PATTERN: the handler's last words and its exit with 64 are
# in the journal.
complains()
{
	local words

	inside journalctl --sync
	journal -o cat
	words=$(journal -o cat SYSLOG_IDENTIFIER=socks5-handler | tail -n 1)
	# On standard error they are preceded by its name.
	# shellcheck disable=SC2053 # a pattern
	[[ ${words#socks5-handler: } == $1 ]]
	[[ $(journal -o cat EXIT_STATUS=64 | tail -n 1) == *status=64/USAGE* ]]
}

@test "StandardOutput=journal is a mistake: a sentence, and exit 64" {
	drop_in socks5-handler@.service StandardOutput=journal
	"$HOSTS/client" tcp:127.0.0.1:1080 closed
	wait_until no_instances
	complains "descriptor 1 is the journal*leave StandardOutput= out*"
	# CollectMode=inactive-or-failed
	no_failed_units
}

@test "systemd's limits are those that the units mean to set" {
	# To reach the second would take more connections in a second than a
	# small machine can serve.
	[ "$(inside systemctl show -P MaxConnections \
		socks5-handler.socket)" = 512 ]
	[ "$(inside systemctl show -P TriggerLimitBurst \
		socks5-handler.socket)" = 0 ]
	[ "$(inside systemctl show -P Listen socks5-handler.socket)" = \
		$'127.0.0.1:1080 (Stream)\n[::1]:1080 (Stream)' ]
}

@test "systemd-analyze finds no fault with the units" {
	inside systemd-analyze verify --man=no socks5-handler.socket \
		socks5-handler@.service 2>&1 | tee "$BATS_TEST_TMPDIR/faults"
	[ ! -s "$BATS_TEST_TMPDIR/faults" ]
	# It is 3.0; what would lower it further costs each connection more
	# than all that is there.
	inside systemd-analyze security --offline=true --threshold=31 \
		socks5-handler@.service | tail -n 1
}

