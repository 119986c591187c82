#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# make run, typed as README has it.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load handler
load traffic

setup_file()
{
	start_web
}

teardown_file()
{
	stop_web
}

setup()
{
	skip_if_left_out
	copy_program
	PORT=$(free_port)
	SERVER_LOG=$BATS_TEST_TMPDIR/log
}

teardown()
{
	handler_teardown
	stop_superservers
}

# run_it [OPTION...]: what the target does after building, in the background.
run_it()
{
	"$TOP/tools/run.sh" "$PORT" "$PROGRAM" "$@" >"$SERVER_LOG" 2>&1 3>&- &
	runner=$!
	superserver_pids+=("$runner")
	wait_until grep -q 'Ctrl-C ends it' "$SERVER_LOG"
}

nobody_listens()
{
	[ -z "$(port_lines "$PORT" | awk '$4 == "0A"')" ]
}

@test "it prints the line to try, and that line works" {
	run_it
	read -r -a try < <(grep -o 'curl -x .*' "$SERVER_LOG")
	[ "${try[3]}" = https://example.org/ ]
	fetch "$BATS_TEST_TMPDIR/file" "${try[@]:1:2}" \
		"http://localhost:$WEB_PORT/file"
	came_whole "$BATS_TEST_TMPDIR/file"
	wait_for_records 1
	has reply 0
}

@test "it says that a tunnel lives for 30 seconds, and how to lift that" {
	run_it --lifetime=0.3
	grep -q '30 seconds.*Connection reset by peer' "$SERVER_LOG"
	grep -q 'make run OPTIONS=--lifetime=0$' "$SERVER_LOG"
	run make -s -n -C "$TOP" run OPTIONS=--lifetime=0
	[[ $output == *"tools/run.sh '1080' "*"socks5-handler --lifetime=0"* ]]
	start_target drain-reset
	"$HOSTS/client" "tcp:127.0.0.1:$PORT" "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 reset
	target_held
	wait_for_records 1
	has end lifetime
}

@test "ending it ends the tunnels, with their records, and the listening" {
	run_it
	start_target text:hello drain-reset
	"$HOSTS/client" "tcp:127.0.0.1:$PORT" "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 expect:hello \
		"touch:$BATS_TEST_TMPDIR/open" reset 3>&- &
	client=$!
	wait_until [ -e "$BATS_TEST_TMPDIR/open" ]
	kill -TERM "$runner"
	wait "$runner"
	wait "$client"
	target_held
	wait_for_records 1
	has end terminated
	wait_until nobody_listens
	grep -q '^Stopping' "$SERVER_LOG"
}

@test "it leaves nothing behind when it is killed" {
	run_it
	kill -KILL "$runner"
	wait "$runner" || :
	wait_until nobody_listens
}

@test "a port that is taken, or none, or not ours: a sentence" {
	need_namespaces
	run_it
	run "$TOP/tools/run.sh" "$PORT" "$PROGRAM"
	[ "$status" -ne 0 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "Somebody listens on port $PORT already; try another: "* ]]
	for PORT in ssh 80000 65536 0 '' -1 1080x 018446744073709551617; do
		run "$TOP/tools/run.sh" "$PORT" "$PROGRAM"
		[ "$status" -eq 64 ]
		[ "$output" = "PORT=$PORT is no port, which is from 1 to \
65535; write for example make run PORT=1081" ]
	done
	run unshare -U --map-user=1000 "$TOP/tools/run.sh" 80 "$PROGRAM"
	[ "$status" -eq 1 ]
	[ "$output" = "Only root may listen on port 80; \
try another: make run PORT=1081" ]
}
