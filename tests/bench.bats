#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The benchmark's own programs: their figures are what the proxy's records say,
# they notice a proxy that isn't one, and leave nothing running.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load handler

setup()
{
	bench=$TOP/build/$BUILD/bench
}

teardown()
{
	handler_teardown
	stop_superservers
	[ -z "$relay" ] || end_process "$relay"
}

relay=

# start_handlers [-w] [HANDLERARG...]: under the bare super-server, or -w: as a
# listening service.
start_handlers()
{
	local wait=

	if [ "${1:-}" = -w ]; then
		wait=-w
		shift
	fi
	copy_program
	SERVER_LOG=$BATS_TEST_TMPDIR/log
	PORT=$(free_port)
	start_listening "$PORT" "$bench/accept-exec" $wait "$PORT" "$PROGRAM" \
		--log=stderr "$@"
}

# load ARG...: its lines in $output.
run_load()
{
	run --separate-stderr "$bench/load" "$@"
	echo "$output"
	echo "$stderr"
}

# value NAME: what the load generator printed for it.
value()
{
	sed -n "s/^$1 //p" <<<"$output"
}

# sum_of FIELD: over all records.
sum_of()
{
	records | grep -o " $1=[0-9]*" |
		awk -F = '{ sum += $2 } END { printf "%d\n", sum }'
}

@test "set-up: as many connections as were asked for" {
	start_handlers
	run_load -p "$PORT" -P "$server" setup 4 40
	[ "$status" -eq 0 ]
	[ "$(value connections)" -eq 40 ]
	wait_for_records 40
	[ "$(records | grep -c ' reply=0 ')" -eq 40 ]
	[[ $(value per_second) =~ ^[0-9.]+$ ]]
	[[ $(value setup_p50_us) =~ ^[0-9.]+$ ]]
	# Each of them has been started, and its parent has waited for it.
	awk -v us="$(value cpu_us_per_connection)" 'BEGIN { exit !(us > 0) }'
}

@test "set-up ends after its time" {
	start_handlers
	run_load -p "$PORT" -t 300 setup 1 1000000
	[ "$status" -eq 0 ]
	at_least "$(value connections)" 1
	wait_for_records "$(value connections)"
}

@test "bulk: the bytes are those of the records" {
	start_handlers
	run_load -p "$PORT" -P "$server" bulk down 2 200
	[ "$status" -eq 0 ]
	at_least "$(value bytes)" 1
	wait_for_records 2
	[ "$(sum_of bytes_down)" -eq "$(value bytes)" ]
	run_load -p "$PORT" -P "$server" bulk up 3 200
	[ "$status" -eq 0 ]
	wait_for_records 5
	[ "$(sum_of bytes_up)" -eq "$(value bytes)" ]
}

@test "exchanges: the bytes are those of the records" {
	start_handlers
	run_load -p "$PORT" exchange 1000 50
	[ "$status" -eq 0 ]
	at_least "$(value exchanges)" 20
	wait_for_records 1
	has bytes_up $(($(value exchanges) * 1000))
	has bytes_down $(($(value exchanges) * 1000))
	run_load -p "$PORT" split 65536 50
	[ "$status" -eq 0 ]
	wait_for_records 2
	has bytes_up $(($(value exchanges) * 65536))
}

@test "idle tunnels: a process and some memory for each, all of them used" {
	need_root "look into a listening service"
	start_handlers -w --spare=0
	run_load -p "$PORT" -P "$server" idle 30
	[ "$status" -eq 0 ]
	[ "$(value connections)" -eq 30 ]
	[ "$(value processes)" -eq 31 ]
	awk -v kib="$(value pss_kib_per_tunnel)" \
		'BEGIN { exit !(kib > 4 && kib < 20000) }'
	wait_until has_records 30
	[ "$(sum_of bytes_up)" -eq 30 ]
}

@test "datagrams: there and back, they are those of the records" {
	start_handlers
	run_load -p "$PORT" -P "$server" udp 64 8 200
	[ "$status" -eq 0 ]
	at_least "$(value datagrams)" 20
	[ "$(value lost)" -eq 0 ]
	[[ $(value per_second) =~ ^[0-9]+$ ]]
	[[ $(value cpu_us_per_datagram) =~ ^[0-9.]+$ ]]
	wait_for_records 1
	has udp_up "$(value datagrams)"
	has udp_down "$(value datagrams)"
	has bytes_down $(($(value datagrams) * 64))
	run_load -p "$PORT" udp 65497 1 50
	[ "$status" -eq 0 ]
	wait_for_records 2
	has bytes_up $(($(value datagrams) * 65497))
}

@test "without a proxy" {
	run_load setup 2 20
	[ "$status" -eq 0 ]
	[ "$(value connections)" -eq 20 ]
	[ -z "$(value cpu_us_per_connection)" ]
	run_load bulk down 1 100
	[ "$status" -eq 0 ]
	at_least "$(value bytes)" 1
	run_load udp 8 64 50
	[ "$status" -eq 0 ]
	at_least "$(value datagrams)" 64
}

# fails_with SENTENCE-PATTERN
fails_with()
{
	[ "$status" -eq 1 ]
	# shellcheck disable=SC2053 # a pattern
	[[ $stderr == $1 ]]
}

@test "a proxy that isn't there, one that refuses, one that hangs up" {
	PORT=$(free_port)
	run_load -p "$PORT" setup 1 1
	fails_with "load: the proxy at 127.0.0.1:$PORT: Connection refused"
	start_target recv:050100 send:0500 send:05020001000000000000
	run_load -p "$port" setup 1 1
	fails_with "load: the proxy refused: version 5, REP 2"
	start_target recv:050100 send:05ff
	run_load -p "$port" idle 1
	fails_with "load: the proxy answered the greeting with 05 ff, not 05 00"
	start_target recv:050100 shut
	run_load -p "$port" bulk up 1 50
	fails_with "load: the connection was closed instead of an answer to the greeting"
}

@test "a proxy that answers by itself, or with other bytes" {
	local yes=(recv:050100 send:0500 send:05000001000000000000)

	start_target "${yes[@]}" text:nonsense
	run_load -p "$port" bulk down 1 50
	fails_with "load: a wrong byte came between offsets 0 and 8"
	start_target "${yes[@]}" text:nonsensenonsense hold:1000
	run_load -p "$port" exchange 16 50
	fails_with "load: another message came back"
}

# start_relay [OPTION...]: a proxy that answers all requests with an association,
# whose datagrams udp-target answers.
start_relay()
{
	local file=$BATS_TEST_TMPDIR/udp-port

	rm -f "$file"
	[ -z "$relay" ] || end_process "$relay"
	"$HOSTS/udp-target" "$@" "$file" >"$BATS_TEST_TMPDIR/relay.out" 3>&- &
	relay=$!
	wait_until test -e "$file"
	start_target recv:050100 send:0500 \
		"send:050000017f000001$(hex16 "$(cat "$file")")" hold:5000
}

@test "an association that none is: wrong datagrams, too many, too few" {
	start_relay -r 26
	run_load -p "$port" udp 16 4 50
	fails_with "load: another datagram came back"
	start_relay -r 27
	run_load -p "$port" udp 16 4 50
	fails_with "load: another datagram came back"
	start_relay -c 2
	run_load -p "$port" udp 16 4 50
	fails_with "load: a datagram came back twice"
	start_relay -c 0
	run_load -p "$port" udp 16 4 50
	fails_with "load: no datagram came back"
	# It answers by itself, and every other one alone.
	start_relay -c 10
	run_load -p "$port" udp 16 4 50
	fails_with "load: * datagrams were sent, 0 came to the target, and * came back"
	[[ $stderr =~ ^load:\ ([0-9]+)\ .*\ and\ ([0-9]+)\ came ]]
	[ $(((BASH_REMATCH[1] + 1) / 2)) -eq "${BASH_REMATCH[2]}" ]
	start_target recv:050100 send:0500 send:05070001000000000000
	run_load -p "$port" udp 16 4 50
	fails_with "load: the proxy refused: version 5, REP 7"
}

@test "a limit for all of it" {
	start_target hold:5000
	run_load -p "$port" -l 1 setup 1 1
	fails_with "load: it took longer than -l allows"
}

@test "bad usage" {
	for words in "" "setup 1" "setup 0 1" "bulk sideways 1 1" \
		"udp 7 1 1" "udp 64 0 1" "-x idle 1"; do
		# shellcheck disable=SC2086 # words
		run_load $words
		[ "$status" -eq 2 ]
		[[ $stderr == *"usage: load "* ]]
	done
	for words in "idle x" "exchange 65537 1" "udp 65498 1 1"; do
		# shellcheck disable=SC2086 # words
		run_load $words
		[ "$status" -eq 2 ]
		[[ $stderr == "load: "*" is not a number up to "* ]]
	done
}

@test "starting: a time for each program, and a failure is one" {
	run "$bench/start" 3 "$bench/empty" -- "$HANDLER" --log=none
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[0]} =~ ^[0-9.]+$ && ${lines[1]} =~ ^[0-9.]+$ ]]
	run "$bench/start" 3 "$HANDLER" --log=nowhere
	[ "$status" -eq 1 ]
	[[ $output == *"$HANDLER ended with status"* ]]
}

# figure PART NAME METRIC VALUE...: of a round each.
figure()
{
	local round=0 value

	for value in "${@:4}"; do
		printf '%s\t%d\t%s\t%s\t%s\n' "$1" $((++round)) "$2" "$3" \
			"$value" >>"$BATS_TEST_TMPDIR/figures"
	done
}

@test "the report: medians of ratios, met or missed" {
	figure start empty start_us 100 900 100 100 100
	figure start ours start_us 114 1000 114 200 114
	figure rules exec one.setup_p50_us 100 200 100
	figure rules exec-rules-1000 one.setup_p50_us 110 210 130
	figure setup microsocks one.setup_p50_us 100 100 100
	figure setup wait one.setup_p50_us 90 120 130
	figure setup microsocks many.per_second 1000 1000
	figure setup wait many.per_second 700 800
	figure udp dante 64B.cpu_us_per_datagram 10 10 10
	figure udp exec 64B.cpu_us_per_datagram 4 4 4
	figure udp dante 1400B.cpu_us_per_datagram 10 10 10
	figure udp exec 1400B.cpu_us_per_datagram 9 6 2
	figure udp exec 64B.lost 0 2 0
	echo "ssh: no." >"$BATS_TEST_TMPDIR/notes"
	awk -v notes="$BATS_TEST_TMPDIR/notes" -f "$TOP/bench/report.awk" \
		"$BATS_TEST_TMPDIR/figures" | tee "$BATS_TEST_TMPDIR/report"
	for line in \
		"| start, of an empty program | ≤ 1.15 | 1.14 | met |" \
		"| listening: time to the reply, of microsocks's | ≤ 1 | 1.20 | **missed** |" \
		"| listening: connections per second of 32 clients, of microsocks's | ≥ 0.7 | 0.70 | met |" \
		"| ... of dante's | ≥ 1 | – | not measured |" \
		"| UDP: CPU per datagram of 64 and of 1,400 B, of dante's | ≤ 0.5 | 0.60 | **missed** |" \
		"| UDP: datagrams that did not come back | ≤ 0 | 2.00 | **missed** |" \
		"| **dante** | **–** | **–** | **–** | **10.0** | **10.0** | **–** |" \
		"| ours, a process started for each client | – | – | – | 0.40 | 0.60 | – |" \
		"| ours, a process started for each client | – | 100 | 1.00 |" \
		"| ours, a process started for each client | 1000 | 130 | 1.10 |" \
		"- ssh: no."; do
		grep -qxF -- "$line" "$BATS_TEST_TMPDIR/report"
	done
}

@test "rules: all lines are read, and the last one decides" {
	rules=$BATS_TEST_TMPDIR/rules
	eval "$(sed -n '/^write_rules()/,/^}/p' "$TOP/bench/peers.bash")"
	for count in 1 100 10000; do
		write_rules "$rules" $count
		chmod 644 "$rules"
		run "$HANDLER" --rules="$rules" --explain 127.0.0.1 80
		echo "$output"
		[ "$status" -eq 0 ]
		[ "${lines[0]}" = "$rules:$count: allow to any, internal" ]
	done
}

# The processes that inherited this test's mark, but those that look.
marked()
{
	grep -lsxz "BENCH_MARK=$BATS_TEST_TMPDIR" /proc/[0-9]*/environ
}

nothing_is_left()
{
	[ -z "$(marked)" ]
}

it_measures()
{
	grep -q "round 1 of" "$out" && [ "$(marked | wc -l)" -gt 3 ]
}

@test "the run: whoever ends it ends all that it started" {
	need_namespaces
	need setpriv ip taskset
	# The second one sweeps up after the first.
	for signal in KILL TERM; do
		out=$BATS_TEST_TMPDIR/out.$signal
		: >"$out"
		BENCH_MARK=$BATS_TEST_TMPDIR TMPDIR=$BATS_TEST_TMPDIR \
			"$TOP/bench/run" exchange >"$out" 2>&1 3>&- &
		runner=$!
		patience=60 wait_until it_measures
		kill -$signal $runner
		wait $runner || :
		wait_until nothing_is_left
	done
}

@test "the run: a part that there isn't" {
	run "$TOP/bench/run" nonsense
	[ "$status" -ne 0 ]
	[[ $output == "bench: there is no part nonsense; "* ]]
}
