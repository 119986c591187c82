#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The listening service when there is too much or too little of something:
# clients, descriptors, processes, memory.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load listening
load superservers

teardown()
{
	listening_teardown
}

refusal="was refused: as many clients as --max"

# --- too many clients ------------------------------------------------------

@test "--max-clients: one more is closed at once, and logged" {
	start_service --max-clients=2
	enter a "$place" close
	enter b "$place" close
	turned_away "$place"
	wait_until said 1 "^socks5-handler: 127\.0\.0\.1:[0-9]+ ${refusal}-clients "
	there_are 2 handlers
	leave a
	wait_until there_are 1 handlers
	enter c "$place" close
	turned_away "$place"
	leave b
	leave c
	wait_for_records 3
}

@test "--max-clients=0 is no limit" {
	start_service --max-clients=0 --max-per-source=0
	for i in {1..12}; do
		enter "$i" "$place" close
	done
	there_are 12 handlers
}

@test "--max-per-source: an IPv4 address" {
	start_service --max-per-source=2
	enter a -a 127.0.0.2 "$place" close
	enter b -a 127.0.0.2 "$place" close
	turned_away -a 127.0.0.2 "$place"
	wait_until said 1 "^socks5-handler: 127\.0\.0\.2:[0-9]+ ${refusal}-per-source "
	enter c -a 127.0.0.3 "$place" close
	leave a
	wait_until there_are 2 handlers
	enter d -a 127.0.0.2 "$place" close
}

@test "--max-per-source: IPv4 over an IPv6 socket is the address, not a /64" {
	listen_on=(any)
	start_service --max-per-source=1
	mapped=tcp:127.0.0.1:${place##*:}
	enter a -a 127.0.0.2 "$mapped" close
	turned_away -a 127.0.0.2 "$mapped"
	enter b -a 127.0.0.3 "$mapped" close
	enter c "$place" close
	wait_until said 1 "^socks5-handler: 127\.0\.0\.2:[0-9]+ $refusal"
}

@test "--max-per-source: an IPv6 /64" {
	need_namespaces
	need nsenter
	listen_on=(6)
	# A network of its own, where these addresses are this machine's.
	as=(unshare -rn sh -c 'ip link set lo up && touch "$0" &&
		exec sleep 60' "$BATS_TEST_TMPDIR/up")
	"${as[@]}" 3>&- &
	superserver_pids+=($!)
	wait_until [ -e "$BATS_TEST_TMPDIR/up" ]
	as=(nsenter -t $! -U -n --preserve-credentials)
	for address in 2001:db8:0:1::1 2001:db8:0:1:ffff::2 2001:db8:0:2::1; do
		"${as[@]}" ip -6 address add "$address/128" dev lo nodad
	done
	start_service --open --max-per-source=1 --spare=0
	enter a -a 2001:db8:0:1::1 "$place" close
	turned_away -a 2001:db8:0:1:ffff::2 "$place"
	wait_until said 1 "\[2001:db8:0:1:ffff::2\]:[0-9]+ $refusal"
	enter b -a 2001:db8:0:2::1 "$place" close
	there_are 3 programs
}

@test "--max-per-source: a user on a Unix socket" {
	need_root "be somebody else"
	dir=$(mktemp -d) # that others can enter
	chmod 755 "$dir"
	cp "$HOSTS/client" "$HOSTS/listen" "$dir"
	listen_on=("$dir/s")
	chmod 777 "$BATS_TEST_TMPDIR"
	start_service --max-per-source=1
	enter a "$place" close
	turned_away "$place"
	wait_until said 1 "^socks5-handler: unix:uid=0 $refusal"
	as=(setpriv --reuid=54321 --clear-groups)
	HOSTS=$dir
	run "${as[@]}" "$dir/client" "$place" "${greet[@]}" close
	echo "$output"
	[ "$status" -eq 0 ]
	rm -r "$dir"
}

@test "by default one address can't fill it; clients on this machine are exempt" {
	need_namespaces
	need nsenter
	as=(unshare -rn sh -c 'ip link set lo up && touch "$0" &&
		exec sleep 60' "$BATS_TEST_TMPDIR/up")
	"${as[@]}" 3>&- &
	superserver_pids+=($!)
	wait_until [ -e "$BATS_TEST_TMPDIR/up" ]
	as=(nsenter -t $! -U -n --preserve-credentials)
	for address in 192.0.2.7 192.0.2.8; do
		"${as[@]}" ip address add "$address/32" dev lo
	done
	start_service --open --max-clients=6 --spare=0
	for i in 1 2 3; do
		enter "$i" -a 192.0.2.7 "$place" close
	done
	turned_away -a 192.0.2.7 "$place"
	wait_until said 1 "^socks5-handler: 192\.0\.2\.7:[0-9]+ ${refusal}-per-source "
	enter 4 -a 192.0.2.8 "$place" close
	for i in 1 2 3 4; do
		leave "$i"
	done
	wait_until there_are 1 programs
	for i in 1 2 3 4 5 6; do
		enter "$i" "$place" close
	done
	turned_away "$place"
	said 1 "${refusal}-per-source "
}

@test "--max-per-source and --proxy-protocol: every client would be the proxy" {
	run "$HANDLER" --check --proxy-protocol --max-per-source=2
	[ "$status" -eq 64 ]
	[[ $output == "socks5-handler: --max-per-source=2 and --proxy-protocol: every client comes from the proxy; leave out "* ]]
	for i in auto 0; do
		"$HANDLER" --check --proxy-protocol "--max-per-source=$i"
	done
}

@test "with --proxy-protocol the proxy may have all clients" {
	need_namespaces
	need nsenter
	as=(unshare -rn sh -c 'ip link set lo up && touch "$0" &&
		exec sleep 60' "$BATS_TEST_TMPDIR/up")
	"${as[@]}" 3>&- &
	superserver_pids+=($!)
	wait_until [ -e "$BATS_TEST_TMPDIR/up" ]
	as=(nsenter -t $! -U -n --preserve-credentials)
	"${as[@]}" ip address add 192.0.2.7/32 dev lo
	start_service --open --proxy-protocol --max-clients=2 --spare=0
	header=$(hex_of $'PROXY TCP4 198.51.100.1 198.51.100.2 1 2\r\n')
	greet=("send:$header" "${greet[@]}")
	enter 1 -a 192.0.2.7 "$place" close
	enter 2 -a 192.0.2.7 "$place" close
}

@test "many refused at once: few lines, and they count all" {
	start_service --max-clients=1
	enter a "$place" close
	SECONDS=0
	for i in {1..60}; do
		exec 8<>"/dev/tcp/127.0.0.1/${place##*:}"
	done
	exec 8>&-
	count_refused()
	{
		awk '/was refused/ { n++ } / refused beyond these: / {
			n += $NF } END { print n }' "$SERVER_LOG"
	}
	all_said()
	{
		[ "$(count_refused)" -eq 60 ]
	}
	wait_until all_said
	at_most "$(grep -c refused "$SERVER_LOG")" $((SECONDS + 3))
	kill -USR1 "$service"
	wait_until said 1 "1 clients, 60 refused, 1 in all"
}

# checking FILE...: which have the memory that yescrypt wants, 16 MiB.
checking()
{
	grep -s '^VmRSS' /dev/null "$@" | awk '$2 > 12000 { print $1 }' | sort
}

# checks: how many processes do at one moment, the one between two looks at
# all of them; during a look one check may end and the next begin.
checks()
{
	local -a all
	local before

	mapfile -t all < <(programs | sed 's|.*|/proc/&/status|')
	before=$(checking "${all[@]}")
	comm -12 <(echo "$before") <(checking "${all[@]}") | sed '/^$/d' | wc -l
}

# many_logins WHERE...: 60 at once, with a wrong password. Each is told so, and
# there are never more checks at once than processors.
many_logins()
{
	local i now most=0
	local -a pids=()

	for i in {1..60}; do
		"$HOSTS/client" -l 30 "$1" send:050102 recv:0502 \
			send:0105787878787805797979797a recv:0101 closed 3>&- &
		pids+=($!)
	done
	while kill -0 "${pids[@]}" 2>/dev/null; do
		now=$(checks)
		most=$((now > most ? now : most))
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	echo "$most checks at once"
	at_least "$most" 1
	# Not all of them were looked at in the same moment.
	at_most "$most" $(($(nproc) + 2))
}

@test "many logins at once: no more checks at once than processors" {
	need mkpasswd
	[ "$BUILD" = release ] || skip "a sanitizer has memory of its own"
	users=$BATS_TEST_TMPDIR/users
	printf 'me:%s\n' "$(mkpasswd -m yescrypt secret)" >"$users"
	chmod 600 "$users"
	start_service --users="$users"
	many_logins "$place"
	stop_superservers
	# Processes that know nothing of each other.
	start_superserver socat-nofork --log=none --users="$users"
	many_logins "tcp:127.0.0.1:$PORT"
}

# --- too few descriptors, processes, or too little memory ------------------

wants_more="clients wait"
enough="clients are served again"

@test "out of descriptors: clients wait, it rests, says so once, recovers" {
	need prlimit
	listen_options=(-i)
	start_service --spare=0
	# 0 to 2 and the signals' are all it can have.
	prlimit --pid "$service" --nofile=4:64
	"$HOSTS/client" "$place" "${greet[@]}" \
		"touch:$BATS_TEST_TMPDIR/served" close 3>&- &
	visitors[a]=$!
	wait_until said 1 "can't accept: Too many open files; $wants_more"
	calm 12
	[ ! -e "$BATS_TEST_TMPDIR/served" ]
	prlimit --pid "$service" --nofile=64:64
	wait "${visitors[a]}"
	unset "visitors[a]"
	wait_until said 1 "$enough"
	said 1 "$wants_more"
	wait_until no_handlers
	calm 4
}

# As a user of its own, whose processes are counted; $1 of them at most.
as_user_with()
{
	need_root "be somebody else"
	need prlimit setpriv
	# A user that nobody else is, for tests that run beside.
	user=$((50000 + (RANDOM << 15 | RANDOM) % 1000000))
	dir=$(mktemp -d)
	chmod 755 "$dir"
	PROGRAM=$dir/socks5-handler
	cp "$HANDLER" "$PROGRAM"
	within=(setpriv --reuid="$user" --clear-groups prlimit --nproc="$1")
	# The leak sanitizer would need one more.
	export ASAN_OPTIONS=abort_on_error=1:detect_leaks=0
}

@test "out of processes: the client is kept until there is one" {
	as_user_with 2
	start_service --spare=0
	enter a "$place" close
	"$HOSTS/client" "$place" "${greet[@]}" \
		"touch:$BATS_TEST_TMPDIR/served" close 3>&- &
	visitors[b]=$!
	wait_until said 1 "no process for another client: .*; $wants_more"
	calm 12
	[ ! -e "$BATS_TEST_TMPDIR/served" ]
	# It says how it is even now, and reads its configuration.
	kill -USR1 "$service"
	wait_until said 1 "1 clients, 0 refused, 1 in all"
	leave a
	wait "${visitors[b]}"
	unset "visitors[b]"
	wait_until said 1 "$enough"
	said 1 "$wants_more"
	rm -r "$dir"
}

@test "out of processes for all its spares: clients don't wait for that" {
	as_user_with 4
	start_service
	wait_until there_are 3 spares
	calm 12
	start=$(date +%s%N)
	for i in {1..10}; do
		"$HOSTS/client" "$place" "${greet[@]}" close
		wait_until no_handlers
	done
	# Each is served by a spare, at once, and replaced.
	at_most "$(grep -c "$wants_more" "$SERVER_LOG")" 1
	at_most "$(grep -c "$enough" "$SERVER_LOG")" 1
	rm -r "$dir"
}

@test "SIGTERM while a client has no process: that one is served" {
	as_user_with 2
	start_service --spare=0
	enter a "$place" close
	"$HOSTS/client" "$place" "${greet[@]}" "send:$(request4 1)" reply:05 \
		eof 3>&- &
	visitors[b]=$!
	wait_until said 1 "no process for another client"
	kill "$service"
	wait "${visitors[b]}"
	unset "visitors[b]"
	service_left
	leave a
	wait_for_records 2
	rm -r "$dir"
}

# traced FAULT...: strace makes these system calls fail.
traced()
{
	local fault

	need_strace
	listen_options=(-i)
	within=(strace -D -o "$BATS_TEST_TMPDIR/trace")
	for fault; do
		within+=(-e "inject=$fault")
	done
}

@test "accept without memory: it rests, says so once, recovers" {
	for error in ENOMEM ENOBUFS ENFILE; do
		traced accept4:error=$error:when=1..3
		start_service
		"$HOSTS/client" "$place" "${greet[@]}" close
		said 1 "can't accept: .*; $wants_more"
		wait_until said 1 "$enough"
		grep -q INJECTED "$BATS_TEST_TMPDIR/trace"
		stop_superservers
	done
}

@test "accept that fails for one client's sake: nobody waits" {
	for error in ECONNABORTED EPROTO ENETDOWN EHOSTUNREACH; do
		traced accept4:error=$error:when=1..3
		start_service
		"$HOSTS/client" "$place" "${greet[@]}" close
		said 0 "can't accept"
		grep -q INJECTED "$BATS_TEST_TMPDIR/trace"
		stop_superservers
	done
}

# rests_for_ever SENTENCE: said once, and it is calm, and hears a signal.
rests_for_ever()
{
	wait_until said 1 "$1; $wants_more"
	before=$(wc -l <"$BATS_TEST_TMPDIR/trace")
	sleep 0.7
	at_most $(($(wc -l <"$BATS_TEST_TMPDIR/trace") - before)) 45
	kill "$service"
	service_left
	said 1 "$wants_more"
	stop_superservers
}

@test "accept that fails for ever: it rests, says so once, hears signals" {
	# The last is a client's own fault, but not so many times in a row.
	for error in EINVAL:Invalid EPERM:Operation ECONNABORTED:Software; do
		traced "accept4:error=${error%:*}"
		start_service
		"$HOSTS/client" -l 20 "$place" "${greet[@]}" 3>&- &
		visitors[a]=$!
		rests_for_ever "can't accept: ${error#*:} .*"
	done
}

@test "poll that fails for ever: it rests, says so once, hears signals" {
	traced poll:error=ENOMEM
	start_service
	rests_for_ever "can't wait for clients: Cannot allocate memory"
}

@test "a rest that ends with a refusal: it doesn't spin" {
	# The second client comes when there is no memory, and is refused when
	# there is.
	traced accept4:error=ENOMEM:when=2
	start_service --spare=0 --max-clients=1
	enter a "$place" close
	turned_away "$place"
	said 1 "can't accept: Cannot allocate memory"
	before=$(wc -l <"$BATS_TEST_TMPDIR/trace")
	sleep 1
	at_most $(($(wc -l <"$BATS_TEST_TMPDIR/trace") - before)) 60
}

@test "fork without memory: the client is kept, and served" {
	traced clone:error=ENOMEM:when=1..3 clone3:error=ENOMEM:when=1..3 \
		fork:error=ENOMEM:when=1..3
	start_service --spare=0
	"$HOSTS/client" "$place" "${greet[@]}" close
	said 1 "no process for another client: Cannot allocate memory; "
	wait_until said 1 "$enough"
	grep -q INJECTED "$BATS_TEST_TMPDIR/trace"
}

@test "no pair of sockets for a spare: a client is served all the same" {
	traced socketpair:error=EMFILE
	start_service
	"$HOSTS/client" "$place" "${greet[@]}" close
	grep -q INJECTED "$BATS_TEST_TMPDIR/trace"
	there_are 0 spares
}

# begins_with STRACEOPTION...: a service that nobody comes to.
begins_with()
{
	run timeout 10 "$HOSTS/listen" -i "$BATS_TEST_TMPDIR/places" 4 -- \
		strace -D -o "$BATS_TEST_TMPDIR/trace" "$@" "$HANDLER" \
		--log=stderr --spare=0 --idle-exit=0.1
}

@test "without memory for the list of clients it doesn't begin" {
	need_strace
	begins_with -e trace=mmap,madvise
	[ "$status" -eq 0 ]
	trace_is_whole
	# Whose memory no child gets.
	count=$(sed '/MADV_DONTFORK/Q' "$BATS_TEST_TMPDIR/trace" |
		grep -c '^mmap')
	begins_with -e "inject=mmap:error=ENOMEM:when=$count"
	[ "$status" -eq 71 ]
	[[ $output == *"not enough memory" ]]
}

@test "without a descriptor for the signals it doesn't begin" {
	need_strace
	run timeout 10 "$HOSTS/listen" -i "$BATS_TEST_TMPDIR/places" 4 -- \
		strace -D -o "$BATS_TEST_TMPDIR/trace" \
		-e inject=signalfd4:error=EMFILE "$HANDLER" --log=stderr
	[ "$status" -eq 71 ]
	[[ $output == *"no descriptor for signals: Too many open files" ]]
}
