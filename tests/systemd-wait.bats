#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The listening service as its units are installed, under a real systemd.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load systemd

unit=socks5-handler-wait

setup_file()
{
	boot_systemd $unit.service
	[ -z "${LEFT_OUT:-}" ] || return 0
	head -c 200K "$WEB/file" >"$WEB/part"
	inside systemctl enable -q --now $unit.socket
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
	inside systemctl stop -q $unit.socket $unit.service
	# What a test left running, and its drop-ins.
	inside pkill -KILL -x socks5-handler || :
	inside find /run/systemd/system -mindepth 1 -delete
	inside systemctl daemon-reload
	inside systemctl reset-failed
	inside systemctl start $unit.socket
}

# property NAME: of the service
property()
{
	inside systemctl show -P "$1" $unit.service
}

# property_is NAME VALUE
property_is()
{
	[ "$(property "$1")" = "$2" ]
}

# sessions: the processes, as they are counted inside, that have a connection to
# port 1080 on 0.
sessions()
{
	# shellcheck disable=SC2016 # for the inner shell
	inside bash -c 'accepted=$(awk "\$2 ~ /:0438\$/ && \$4 != \"0A\" { print \$10 }" \
			/proc/net/tcp /proc/net/tcp6)
		for pid in $(pgrep -x socks5-handler); do
			socket=$(readlink /proc/$pid/fd/0 | tr -dc 0-9)
			[ -z "$socket" ] || ! grep -qx "$socket" \
				<<<"$accepted" || echo "$pid"
		done'
}

# in_journal N MATCH...: so many match; shows them all if not.
in_journal()
{
	inside journalctl --sync
	[ "$(journal -o cat "${@:2}" | wc -l)" -eq "$1" ]
}

there_is_one()
{
	[ "$("$@" | wc -l)" -eq 1 ]
}

session=MESSAGE_ID=$message_id

@test "curl through both addresses, and the service shows what it does" {
	fetch "$BATS_TEST_TMPDIR/4" -x "$proxy" "$url"
	fetch "$BATS_TEST_TMPDIR/6" -x 'socks5h://[::1]:1080' "$url"
	came_whole "$BATS_TEST_TMPDIR"/[46]
	property_is ActiveState active
	property_is Type notify
	wait_until in_journal 2 "$session" SOCKS5_REPLY=0 \
		_SYSTEMD_UNIT=$unit.service
	wait_until property_is StatusText "0 clients, 0 refused, 2 in all"
	inside systemctl status $unit.service |
		grep 'Status: "0 clients, 0 refused, 2 in all"'
	no_failed_units
}

@test "twenty at once: twenty records of the unit, by twenty processes" {
	local i
	local -a urls=()

	for i in {1..20}; do
		urls+=(-o "$BATS_TEST_TMPDIR/$i.out" "$url")
	done
	curl -q -sS --noproxy '' --max-time 60 --parallel \
		--parallel-immediate -x "$proxy" "${urls[@]}"
	came_whole "$BATS_TEST_TMPDIR"/*.out
	wait_until in_journal 20 "$session" SOCKS5_REPLY=0 \
		_SYSTEMD_UNIT=$unit.service
	[ "$(journal -o cat --output-fields=_PID "$session" |
		sort -u | wc -l)" -eq 20 ]
}

# limit_journal LINE...: how much journald takes of a service, on a machine whose
# disk is less empty than this one.
limit_journal()
{
	printf '%s\n' '[Journal]' "$@" |
		inside sh -c 'mkdir -p /run/systemd/journald.conf.d
			cat >/run/systemd/journald.conf.d/zzz-test.conf'
	inside systemctl restart systemd-journald
}

clean_ends()
{
	inside journalctl -o cat -t socks5-handler | grep -c end=client-eof || :
}

@test "1,500 short sessions: the journal keeps the record of each" {
	local before

	before=$(clean_ends)
	limit_journal RateLimitIntervalSec=30s RateLimitBurst=100
	# shellcheck disable=SC2016 # for the inner shell
	in_network bash -c 'for ((i = 0; i < 1500; i++)); do
		exec 8<>/dev/tcp/127.0.0.1/1080; done'
	patience=60 wait_until property_is StatusText \
		"0 clients, 0 refused, 1500 in all"
	# They have no client any more, and some wait for the journal yet.
	none_waits()
	{
		[ "$(inside pgrep -cx socks5-handler)" -le 9 ]
	}
	wait_until none_waits
	inside journalctl --sync
	# Of one that waited too long it has a line instead, from whom it can't say.
	at_least "$(($(clean_ends) - before))" 1500
	limit_journal
}

@test "no privilege, only its own descriptors; nor have its clients" {
	local pid status

	start_target expect:bye eof
	open_tunnel tcp:127.0.0.1:1080 text:bye shut closed
	for pid in $(property MainPID) $(sessions); do
		status=$(inside cat "/proc/$pid/status")
		[ "$(awk '$1 == "Uid:" { print $2 }' <<<"$status")" = \
			"$(inside id -u socks5-handler)" ]
		grep -qx $'CapEff:\t0000000000000000' <<<"$status"
		grep -qx $'CapBnd:\t0000000000000000' <<<"$status"
		grep -qx $'NoNewPrivs:\t1' <<<"$status"
		grep -qx $'Seccomp:\t2' <<<"$status"
	done
	[ "$pid" != "$(property MainPID)" ]
	[ "$(inside ls -m "/proc/$pid/fd")" = "0, 1, 2, 3" ]
	close_tunnel
}

# load_clients: 100 downloads, twenty at a time, each over a connection of its
# own; in the background, as $load.
load_clients()
{
	local i
	local -a urls=()

	mkdir -p "$BATS_TEST_TMPDIR/load"
	for i in {1..100}; do
		urls+=(-o "$BATS_TEST_TMPDIR/load/$i" \
			"http://localhost:$WEB_PORT/part")
	done
	curl -q -sS --no-progress-meter --noproxy '' --max-time 100 \
		--parallel --parallel-max 20 --limit-rate 500K -x "$proxy" "${urls[@]}" 3>&- &
	load=$!
}

@test "restarted under load: no client is lost" {
	local main n=0

	load_clients
	while ! is_gone "$load" && [ "$n" -lt 8 ]; do
		main=$(property MainPID)
		inside systemctl restart $unit.service
		[ "$(property MainPID)" != "$main" ]
		n=$((n + 1))
	done
	wait "$load"
	at_least "$n" 3
	# Each has come to its end, with every byte.
	for i in {1..100}; do
		cmp "$BATS_TEST_TMPDIR/load/$i" "$WEB/part"
	done
	wait_until in_journal 100 "$session" SOCKS5_REPLY=0 \
		_SYSTEMD_UNIT=$unit.service
	in_journal 0 "$session" SOCKS5_END=terminated
	no_failed_units
}

@test "stopped: its clients go on, and who connects starts it again" {
	start_target expect:bye text:thanks eof
	open_tunnel tcp:127.0.0.1:1080 text:bye expect:thanks shut closed
	inside systemctl restart $unit.service
	there_is_one sessions
	inside systemctl stop $unit.service
	property_is ActiveState inactive
	there_is_one sessions
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
	came_whole "$BATS_TEST_TMPDIR/file"
	property_is ActiveState active
	close_tunnel
	wait_until in_journal 2 "$session" SOCKS5_REPLY=0
}

@test "systemctl kill --kill-whom=all ends its clients too, with their records" {
	start_target drain-reset
	open_tunnel tcp:127.0.0.1:1080 reset
	inside systemctl kill --kill-whom=all $unit.service
	close_tunnel
	wait_until in_journal 1 "$session" SOCKS5_END=terminated
	# It was told to leave, and has not failed.
	wait_until property_is ActiveState inactive
	no_failed_units
}

@test "a client that crashes leaves the service as it is" {
	local main

	start_target closed
	open_tunnel tcp:127.0.0.1:1080 closed
	main=$(property MainPID)
	# Under a sanitizer it aborts then.
	inside kill -SEGV "$(sessions)"
	close_tunnel
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
	property_is MainPID "$main"
	wait_until in_journal 1 PRIORITY=5 _PID="$main"
	journal -o cat PRIORITY=5 _PID="$main" | grep -E "ended by signal (11|6)\$"
	no_failed_units
}

@test "hung, it is killed by the watchdog and started again; its clients go on" {
	local main

	drop_in $unit.service WatchdogSec=1
	start_target expect:bye text:thanks eof
	open_tunnel tcp:127.0.0.1:1080 text:bye expect:thanks shut closed
	# Not as long as it is well.
	sleep 2
	property_is NRestarts 0
	main=$(property MainPID)
	inside kill -STOP "$main"
	wait_until property_is NRestarts 1
	wait_until property_is SubState running
	[ "$(property MainPID)" != "$main" ]
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
	came_whole "$BATS_TEST_TMPDIR/file"
	close_tunnel
	wait_until in_journal 2 "$session" SOCKS5_REPLY=0
}

# was_read N: so often, after the start. systemd 252 doesn't wait for it.
was_read()
{
	inside journalctl --sync
	[ "$(journal -o cat "_PID=$(property MainPID)" |
		grep -c "the configuration was read again")" -eq "$1" ]
}

@test "systemctl reload: the file is read again; with a mistake it fails and says so" {
	local main

	configure 'max-clients 5'
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
	main=$(property MainPID)
	configure 'lifetime 0.3'
	inside systemctl reload $unit.service
	wait_until was_read 1
	start_target drain-reset
	open_tunnel tcp:127.0.0.1:1080 reset
	close_tunnel
	wait_until in_journal 1 "$session" SOCKS5_END=lifetime
	configure 'lifetime soon'
	run inside systemctl reload $unit.service
	[ "$status" -ne 0 ]
	[[ $output == *"$unit.service failed"* ]]
	inside journalctl --sync
	journal -o cat -u $unit.service |
		grep -F "/etc/socks5-handler/handler.conf:1: lifetime soon: "
	# It didn't hear of it, and goes on.
	was_read 1
	property_is MainPID "$main"
	property_is ActiveState active
	start_target drain-reset
	open_tunnel tcp:127.0.0.1:1080 reset
	close_tunnel
	wait_until in_journal 2 "$session" SOCKS5_END=lifetime
	no_failed_units
}

@test "a user who is taken out of the users file is out after systemctl reload" {
	write_users alice:secret bob:word
	configure 'users /etc/socks5-handler/users' \
		'rules /etc/socks5-handler/rules'
	fetch "$BATS_TEST_TMPDIR/1" -x "$proxy" -U alice:secret "$url"
	inside htpasswd -D /etc/socks5-handler/users alice
	inside systemctl reload $unit.service
	wait_until was_read 1
	run ! fetch "$BATS_TEST_TMPDIR/2" -x "$proxy" -U alice:secret "$url"
	fetch "$BATS_TEST_TMPDIR/3" -x "$proxy" -U bob:word "$url"
	wait_until in_journal 1 "$session" SOCKS5_USER=alice \
		SOCKS5_END=auth-failed
	# A mistake locks nobody out.
	inside sed -i '$s/:.*/:/' /etc/socks5-handler/users
	run ! inside systemctl reload $unit.service
	inside journalctl --sync
	journal -o cat -u $unit.service |
		grep -E "/etc/socks5-handler/users:[0-9]+: .*; make one with "
	fetch "$BATS_TEST_TMPDIR/4" -x "$proxy" -U bob:word "$url"
	came_whole "$BATS_TEST_TMPDIR"/[134]
}

@test "--idle-exit: it is started again on demand, any number of times" {
	local i

	drop_in $unit.service ExecStart= \
		"ExecStart=/usr/bin/socks5-handler --idle-exit=0.1"
	# More than systemd's own limit within 10 seconds.
	for i in {1..7}; do
		fetch "$BATS_TEST_TMPDIR/$i" -x "$proxy" \
			"http://localhost:$WEB_PORT/part"
		wait_until property_is ActiveState inactive
	done
	no_failed_units
	property_is NRestarts 0
}

@test "--max-per-source on a Unix socket: whose it is shows in the sandbox" {
	drop_in $unit.socket ListenStream= ListenStream=/run/socks5.sock
	for uid in 54321 54322; do
		inside setpriv --reuid=$uid --clear-groups curl -q -sS \
			--noproxy '' --max-time 30 -o /dev/null \
			-x socks5h://localhost/run/socks5.sock "$url"
	done
	wait_until in_journal 2 "$session" SOCKS5_REPLY=0
	journal -o cat "$session" | grep 'client=unix:uid=54321,'
	journal -o cat "$session" | grep 'client=unix:uid=54322,'
}

@test "StandardInput=socket serves as LISTEN_FDS does" {
	drop_in $unit.socket ListenStream= ListenStream=127.0.0.1:1080
	drop_in $unit.service StandardInput=socket StandardError=journal
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url"
	came_whole "$BATS_TEST_TMPDIR/file"
	start_target expect:bye eof
	open_tunnel tcp:127.0.0.1:1080 text:bye shut closed
	[ "$(inside ls -m "/proc/$(sessions)/fd")" = "0, 1, 2, 3" ]
	close_tunnel
	wait_until in_journal 2 "$session" SOCKS5_REPLY=0
}

@test "a mistake at the start: clients wait, and are served when it is mended" {
	local client

	configure 'lifetime soon'
	run inside systemctl start $unit.service
	[ "$status" -ne 0 ]
	[[ $(journal -o cat SYSLOG_IDENTIFIER=socks5-handler | tail -n 1) == \
		*"/etc/socks5-handler/handler.conf:1: lifetime soon: not a number of seconds"* ]]
	inside systemctl stop $unit.service
	fetch "$BATS_TEST_TMPDIR/file" -x "$proxy" "$url" 3>&- &
	client=$!
	# It is tried again and again, more seldom than systemd's limit.
	wait_until property_is NRestarts 2
	[ "$(inside systemctl show -P ActiveState $unit.socket)" = active ]
	configure
	wait $client
	came_whole "$BATS_TEST_TMPDIR/file"
	property_is ActiveState active
	no_failed_units
}

@test "one process per connection instead: to start one socket stops the other" {
	fetch "$BATS_TEST_TMPDIR/1" -x "$proxy" "$url"
	inside systemctl start socks5-handler.socket
	property_is ActiveState inactive
	fetch "$BATS_TEST_TMPDIR/2" -x "$proxy" "$url"
	property_is ActiveState inactive
	inside systemctl start $unit.socket
	[ "$(inside systemctl show -P ActiveState \
		socks5-handler.socket)" = inactive ]
	fetch "$BATS_TEST_TMPDIR/3" -x "$proxy" "$url"
	property_is ActiveState active
	came_whole "$BATS_TEST_TMPDIR"/[123]
	# While this one is enabled, the other one can't be.
	run inside systemctl enable --now socks5-handler.socket
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output == *"is a symlink to "*"/$unit.socket"* ]]
	property_is ActiveState active
}

@test "systemd-analyze finds no fault with the units" {
	inside systemd-analyze verify --man=no $unit.socket $unit.service \
		2>&1 | tee "$BATS_TEST_TMPDIR/faults"
	[ ! -s "$BATS_TEST_TMPDIR/faults" ]
	# It is 1.5, most of which is to have a network.
	inside systemd-analyze security --offline=true --threshold=16 \
		$unit.service | tail -n 1
}
