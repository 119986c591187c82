#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The listening service and who manages it: its configuration, signals, and what
# it tells a service manager (sd_notify(3)).
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load listening

teardown()
{
	listening_teardown
}

# --- its configuration -----------------------------------------------------

# tunnel_lives MS MS: so long at least, and at most.
tunnel_lives()
{
	start_target drain-reset
	"$HOSTS/client" "$place" "${greet[@]}" "send:$(request4 "$port")" \
		reply:00 reset
	target_held
	wait_until no_handlers
	record=$(records | tail -n 1)
	has end lifetime
	at_least "$(field duration_ms)" "$1"
	at_most "$(field duration_ms)" "$2"
}

@test "its file is read once, and again at SIGHUP, for the next client" {
	file=$BATS_TEST_TMPDIR/conf
	echo "lifetime 0.2" >"$file"
	start_service --config="$file"
	tunnel_lives 200 1900
	echo "lifetime 2" >"$file"
	tunnel_lives 200 1900
	kill -HUP "$service"
	wait_until there_are 8 spares
	tunnel_lives 2000 20000
	# Who is served already has what held when he came.
	echo "lifetime 0" >"$file"
	start_target drain-reset
	enter a "$place" "send:$(request4 "$port")" reply:00 reset
	kill -HUP "$service"
	leave a
	target_held
}

@test "an error in its file: exit 64 at the start, at SIGHUP the old one stays" {
	file=$BATS_TEST_TMPDIR/conf
	echo "lifetime 0.2" >"$file"
	start_service --config="$file"
	printf '# comment\nlifetime soon\n' >"$file"
	kill -HUP "$service"
	wait_until said 1 "^socks5-handler: $file:2: lifetime soon: not a number"
	wait_until said 1 "the configuration stays as it was"
	tunnel_lives 200 5000
	rm "$file"
	kill -HUP "$service"
	wait_until said 1 "--config=$file: No such file or directory"
	tunnel_lives 200 5000
	echo "lifetime 1" >"$file"
	kill -HUP "$service"
	tunnel_lives 1000 20000
	echo lifetime >"$file"
	run timeout 10 "$HOSTS/listen" "$BATS_TEST_TMPDIR/places" 4 -- \
		"$HANDLER" --config="$file"
	[ "$status" -eq 64 ]
	[[ $output == "socks5-handler: $file:1: "* ]]
}

@test "a limit of its file holds from SIGHUP on" {
	file=$BATS_TEST_TMPDIR/conf
	echo "max-clients 1" >"$file"
	start_service --config="$file"
	enter a "$place" close
	turned_away "$place"
	echo "max-clients 2" >"$file"
	kill -HUP "$service"
	enter b "$place" close
	turned_away "$place"
}

@test "SIGUSR1: how many clients there are" {
	start_service --max-clients=2
	enter a "$place" close
	enter b "$place" close
	turned_away "$place"
	leave a
	wait_until there_are 1 handlers
	kill -USR1 "$service"
	wait_until said 1 "1 clients, 1 refused, 2 in all"
}

# --- what a service manager is told ----------------------------------------

# listen_to_service: what it tells is in $heard.
listen_to_service()
{
	heard=$BATS_TEST_TMPDIR/heard
	export NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify
	"$HOSTS/hear" "$NOTIFY_SOCKET" >"$heard" 3>&- &
	superserver_pids+=($!)
	wait_until [ -S "$NOTIFY_SOCKET" ]
}

# heard N PATTERN: so many messages match.
heard()
{
	[ "$(grep -cE "$2" "$heard")" -eq "$1" ]
}

# so often, or more: what comes by the clock doesn't wait for us
heard_often()
{
	[ "$(grep -cE "$2" "$heard")" -ge "$1" ]
}

@test "sd_notify: READY, STATUS, RELOADING, STOPPING" {
	listen_to_service
	start_service --spare=0 --max-clients=1
	wait_until heard 1 '(^|\|)READY=1(\||$)'
	wait_until heard 1 'STATUS=0 clients, 0 refused, 0 in all$'
	enter a "$place" close
	wait_until heard 1 '^STATUS=1 clients, 0 refused, 1 in all$'
	turned_away "$place"
	wait_until heard 1 '^STATUS=1 clients, 1 refused, 1 in all$'
	leave a
	wait_until heard 1 '^STATUS=0 clients, 1 refused, 1 in all$'
	kill -HUP "$service"
	wait_until heard 1 '^RELOADING=1\|MONOTONIC_USEC=[0-9]+\|'
	wait_until heard 2 '(^|\|)READY=1(\||$)'
	kill "$service"
	service_left
	wait_until heard 1 '^STOPPING=1\|'
	run ! heard 1 WATCHDOG
}

@test "sd_notify: MONOTONIC_USEC is no earlier than SIGHUP" {
	listen_to_service
	start_service
	# A millisecond's beginning would be.
	for i in {1..8}; do
		kill -HUP "$service"
		wait_until heard "$i" MONOTONIC_USEC
	done
	grep MONOTONIC_USEC "$heard"
	run ! heard 8 'MONOTONIC_USEC=[0-9]+000\|'
}

@test "sd_notify: STATUS is told once a second at most" {
	listen_to_service
	start_service
	SECONDS=0
	for i in {1..30}; do
		"$HOSTS/client" "$place" close
	done
	wait_until heard 1 '^STATUS=0 clients, 0 refused, 30 in all$'
	at_most "$(grep -c STATUS= "$heard")" $((SECONDS + 3))
}

@test "sd_notify: WATCHDOG in half the time, with or without clients" {
	listen_to_service
	WATCHDOG_USEC=400000 start_service
	wait_until heard_often 3 '^WATCHDOG=1$'
	kill -STOP "$service"
	n=$(grep -c WATCHDOG "$heard")
	sleep 0.6
	heard "$n" WATCHDOG
	kill -CONT "$service"
	enter a "$place" close
	n=$(grep -c WATCHDOG "$heard")
	sleep 1
	at_least "$(grep -c WATCHDOG "$heard")" $((n + 3))
}

@test "sd_notify needs no libsystemd" {
	need_namespaces
	library=$(ldconfig -p | awk '/libsystemd\.so\.0 / {print $NF; exit}')
	listen_to_service
	listen_options=(-i)
	# shellcheck disable=SC2016 # for the inner shell
	within=(unshare -rm sh -c 'mount --bind /dev/null "$0" || exit 99
		exec "$@"' "$library")
	WATCHDOG_USEC=400000 start_service
	wait_until heard 1 '(^|\|)READY=1(\||$)'
	wait_until heard_often 2 '^WATCHDOG=1$'
}
