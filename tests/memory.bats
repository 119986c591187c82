#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# One client's process can't reach another's, nor anything else of its user's;
# and what is left in its memory. tests/systemd.bats does it to two instances of
# the unit.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load listening
load superservers

setup()
{
	need_root "be somebody else, without any privilege"
	need setpriv
	# A user that nobody else is, for tests that run beside.
	user=$((50000 + (RANDOM << 15 | RANDOM) % 1000000))
	become=(setpriv --reuid="$user" --regid="$user" --clear-groups)
	# Of whoever may read them.
	dir=$(mktemp -d)
	chmod 755 "$dir"
	PROGRAM=$dir/socks5-handler
	cp "$HANDLER" "$PROGRAM"
	cp "$HOSTS/peek" "$dir"
	# The leak sanitizer would have to look into its own process.
	export ASAN_OPTIONS=abort_on_error=1:detect_leaks=0
}

teardown()
{
	listening_teardown
	rm -rf "${dir:-/nothing}"
}

# none_can_be_reached N: of these N processes of our program.
none_can_be_reached()
{
	local pid
	local -a pids

	mapfile -t pids < <(programs)
	[ "${#pids[@]}" -eq "$1" ]
	for pid in "${pids[@]}"; do
		grep -qx "Uid:.*$user.*" "/proc/$pid/status"
		grep -qx 'NoNewPrivs:.*1' "/proc/$pid/status"
		[ "$("${become[@]}" "$dir/peek" "$pid")" = denied ]
	done
}

@test "the listening service, its clients' processes and its spares" {
	within=("${become[@]}")
	start_service --spare=2
	enter a "$place" close
	enter b "$place" close
	wait_until there_are 2 spares
	none_can_be_reached 5
	# It can tell the difference.
	"${become[@]}" sleep 60 3>&- &
	superserver_pids+=($!)
	wait_until can_be_reached $!
}

# can_be_reached PID: by its own user, once it is that user's
can_be_reached()
{
	[ "$("${become[@]}" "$dir/peek" "$1")" != denied ]
}

# two_processes SERVER: which has been started, and starts one for each client.
two_processes()
{
	enter a "tcp:127.0.0.1:$PORT" close
	enter b "tcp:127.0.0.1:$PORT" close
	none_can_be_reached 2
	leave a
	leave b
	stop_superservers
}

@test "two processes of xinetd's, and of socat's" {
	need "$SUPERSERVERS/xinetd/usr/sbin/xinetd" socat
	# For the line that says who the service is run as, and for where.
	id()
	{
		echo nobody
	}
	copy_program()
	{
		:
	}
	options=(--log=none --handshake-timeout=60)
	user=65534
	become=(setpriv --reuid=nobody --clear-groups)
	start_superserver xinetd "${options[@]}"
	two_processes
	PORT=$(free_port)
	start_listening "$PORT" "${become[@]}" socat \
		"TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork" \
		"EXEC:$PROGRAM ${options[*]},nofork"
	two_processes
}

@test "the kernel ends a client's process before the service" {
	within=("${become[@]}")
	start_service --spare=1
	enter a "$place" close
	enter b "$place" close
	wait_until there_are 1 spares
	parent=$(cat "/proc/$service/oom_score_adj")
	[ "$parent" -eq "$(cat /proc/self/oom_score_adj)" ]
	for pid in $(handlers) $(spares); do
		[ "$(cat "/proc/$pid/oom_score_adj")" -eq $((parent + 1)) ]
	done
}

# relays_with OPTION...: somebody who logged in is being relayed, through an
# upstream, and the process has none of $secrets.
relays_with()
{
	start_target expect:hello eof
	start_service --rules="$dir/rules" --spare=1 "$@"
	greet=(send:050102 recv:0502
		"send:0102$(hex_of me)0a$(hex_of client-pw-)" recv:0100
		"send:$(request4 "$port")" reply:00)
	# A spare has read the files, but has no client yet.
	wait_until there_are 1 spares
	enter a "$place" text:hello shut eof
	there_are 1 handlers
	run "$dir/peek" "$(handlers)" "${secrets[@]}"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	leave a
	target_held
	stop_superservers
}

@test "nothing of the users file, nor a password, is left while it relays" {
	need mkpasswd openssl
	me=$(openssl passwd -6 client-pw-)
	other=$(mkpasswd -m yescrypt something-else)
	printf '%s\n' "me:$me" "neighbour:$other" >"$dir/users"
	# A large one, too: it is mapped, and not written to.
	cp "$dir/users" "$dir/many"
	yes "$other" | head -n 5000 | awk '{ print "user" NR ":" $0 }' \
		>>"$dir/many"
	echo upstream-pw >"$dir/password"
	printf 'me:%s\n' "$(openssl passwd -6 upstream-pw)" >"$dir/upstream"
	echo 'allow user=me to internal' >"$dir/rules"
	echo 'upstream socks5://me:upstream-pw@127.0.0.1:1090' >"$dir/conf"
	chmod 600 "$dir"/{users,many,password,upstream}
	secrets=("$me" "$other" neighbour client-pw- upstream-pw)
	SERVER_LOG=$BATS_TEST_TMPDIR/upstream.log
	for i in 1 2 3; do
		start_listening 1090 systemd-socket-activate --accept --inetd \
			-E ASAN_OPTIONS -l 127.0.0.1:1090 "$HANDLER" \
			--users="$dir/upstream" --rules="$dir/rules" --log=none
		case $i in
		1) relays_with --users="$dir/users" \
			--upstream=socks5://me@127.0.0.1:1090 \
			--upstream-password="$dir/password" ;;
		2) relays_with --users="$dir/many" --config="$dir/conf" ;;
		3) relays_with --users="$dir/users" \
			--upstream=socks5://me:upstream-pw@127.0.0.1:1090 ;;
		esac
	done
}
