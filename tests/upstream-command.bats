#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# --upstream-command: an upstream that is a command. Here it is another handler
# on pipes, or something that only pretends to be one; ssh.bats has it over ssh.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load handler

setup()
{
	command="'$HANDLER' --log=none --lifetime=0"
}

teardown()
{
	handler_teardown
}

# through KIND STEP...: a client on KIND, whose request is for the target.
through()
{
	play "$1" "${greet[@]}" "send:$(request4 "$port")" "${@:2}" -- \
		--upstream-command="$command" "${options[@]}"
}
options=()

@test "half-close both ways, over every kind of connection" {
	for kind in inet unix pipes socket-pipe; do
		start_target check:300K eof pattern:300K
		through $kind reply:00 pattern:300K shut check:300K eof
		target_held
		has end client-eof
		has bytes_up 307200
		has bytes_down 307200
		start_target pattern:300K shut check:300K eof
		through $kind reply:00 check:300K eof pattern:300K shut
		target_held
		has end target-eof
	done
}

@test "bulk both ways at once" {
	start_target exchange:8M shut eof
	through inet reply:00 exchange:8M shut eof
	target_held
	has bytes_up 8388608
	has bytes_down 8388608
}

@test "the request goes there as it came, and its REP comes back" {
	port=1
	through inet reply:05 eof
	has end upstream
	has error "upstream: it answered 5"
	play inet "${greet[@]}" "send:$(request_name nowhere.invalid 80)" \
		reply:04 eof -- --upstream-command="$command"
	has end upstream
	# The rules are asked here.
	play inet "${greet[@]}" "send:$(request4 1)" reply:02 eof -- \
		--upstream-command="touch $BATS_TEST_TMPDIR/ran" --open
	has end refused
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "a command that fails: its status, in words" {
	port=1
	for command in "sh -c 'exit 3'" nonexistent-command \
		'sh -c "kill -KILL $$"'; do
		through inet reply:01 eof
		has end upstream
		case $command in
		*exit*) has error "upstream: the command ended with status 3" ;;
		*kill*) has error "upstream: the command was killed by signal 9" ;;
		*) has error "upstream: the command ended with status 127" ;;
		esac
	done
	command='cat'
	through inet reply:01 eof
	has end upstream
	has error "upstream: it doesn't speak SOCKS5"
	command="sleep 60"
	options=(--connect-timeout=0.3)
	through inet reply:01 eof
	has end upstream
	has error "upstream: it is silent"
	run ! pgrep -x -f "sleep 60" -P 1,$$
}

# answers THEN: a command that grants any request, and goes on with this.
answers()
{
	cat <<-END
		take() { dd bs=1 count=\$1 >/dev/null 2>&1; }
		take 4; printf '\005\000'; take 10
		printf '\005\000\000\001\177\000\000\001\000\120'
		$1
	END
}

@test "one that is killed or fails amid a download: a reset" {
	port=80
	for end in 'kill -KILL $$' 'exit 74'; do
		cat >"$BATS_TEST_TMPDIR/command" <<-END
			$(answers "printf half; $end")
		END
		command="sh $BATS_TEST_TMPDIR/command"
		through inet reply:00 expect:half reset
		has end upstream
		case $end in
		kill*) has error "upstream: the command was killed by signal 9" ;;
		*) has error "upstream: the command ended with status 74" ;;
		esac
	done
}

@test "one that ends well: its end is the target's" {
	port=80
	cat >"$BATS_TEST_TMPDIR/command" <<-END
		$(answers 'printf whole')
	END
	command="sh $BATS_TEST_TMPDIR/command"
	through inet reply:00 expect:whole eof shut
	has end target-eof
	# Also where somebody it has left behind holds the pipe.
	cat >"$BATS_TEST_TMPDIR/command" <<-END
		$(answers 'printf whole; sleep 5 </dev/null &')
	END
	SECONDS=0
	through inet reply:00 expect:whole eof shut
	has end target-eof
	[ "$SECONDS" -lt 4 ]
	# And where it lives on: that was a half-close.
	cat >"$BATS_TEST_TMPDIR/command" <<-END
		$(answers 'printf whole; exec >/dev/null; exec cat')
	END
	through inet reply:00 expect:whole eof hold:100 text:more shut
	has end target-eof
	has bytes_up 4
}

@test "a reset goes through, either way" {
	start_target text:part expect:go abort
	through inet reply:00 expect:part text:go reset
	target_held
	[[ $(field end) == upstream ]]
	has error "upstream: the command ended with status 74"
	start_target check:1K text:go drain-reset
	through inet reply:00 pattern:1K expect:go abort
	target_held
	has end client-reset
}

@test "a SIGKILL, or the end of the lifetime, leaves no command and no whole end" {
	for last in "kill:KILL" "kill:TERM"; do
		start_target check:1K text:go drain-reset
		expected=
		[ "$last" = kill:TERM ] || expected="signal 9"
		through inet reply:00 pattern:1K expect:go "$last" reset
		target_held
	done
	expected=
	options=(--lifetime=0.4)
	start_target check:1K text:go drain-reset
	through inet reply:00 pattern:1K expect:go reset
	target_held
	has end lifetime
}

@test "SOCKS5 alone, and one way out: what is wrong is said" {
	play inet "${greet[@]}" send:050200017f0000010050 reply:07 eof -- \
		--upstream-command="$command"
	has error "--upstream is asked for CONNECT alone"
	port=1
	options=(--interface=lo)
	through inet reply:01 eof
	has error "source, interface, mark and tos mean nothing to an --upstream-command"
	for wrong in "--upstream-command=" \
		"--upstream-command=x --upstream=socks5://192.0.2.1" \
		"--upstream-command=x --upstream-password=/dev/null"; do
		# shellcheck disable=SC2086 # several options
		run "$HANDLER" $wrong --check
		echo "$output"
		[ "$status" -eq 64 ]
		[ "${#lines[@]}" -eq 1 ]
	done
	echo "upstream-command ssh -T gateway socks5-handler" \
		>"$BATS_TEST_TMPDIR/conf"
	"$HANDLER" --config="$BATS_TEST_TMPDIR/conf" --check
}

@test "the command has nothing of the client's, and signals as anybody" {
	port=80
	cat >"$BATS_TEST_TMPDIR/command" <<-END
		fds=\$(ls -l /proc/\$\$/fd)
		echo "\$fds" >&2
		# By itself: a shell that starts a process blocks signals meanwhile.
		while read -r line; do
			case \$line in Sig*) echo "\$line" ;; esac
		done </proc/\$\$/status >$BATS_TEST_TMPDIR/signals
		exit 1
	END
	command="sh $BATS_TEST_TMPDIR/command"
	through inet reply:01 eof
	fds=$stderr
	cat "$BATS_TEST_TMPDIR/signals"
	run grep -E ' (0|1) -> ' <<<"$fds"
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[0]} == *"pipe:"* && ${lines[1]} == *"pipe:"* ]]
	run ! grep socket: <<<"$fds"
	# But 32 and 33, which are libc's own: Debian 13's leaves them ignored.
	grep -qE 'SigIgn:.*0000000[01][08]0000000' "$BATS_TEST_TMPDIR/signals"
	grep -q 'SigBlk:.*0000000000000000' "$BATS_TEST_TMPDIR/signals"
}
