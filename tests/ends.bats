#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# How a session ends: what was cut shows on both sides, and what was passed on
# is not taken back.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load listening

teardown()
{
	handler_teardown
	listening_teardown
}

# --- signals ---------------------------------------------------------------

@test "HUP, INT and QUIT do what TERM does: reset on both sides, a record" {
	for signal in HUP INT QUIT; do
		start_target pattern:1K drain-reset
		play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 \
			check:1K kill:$signal reset
		target_held
		has end terminated
		play inet "${greet[@]}" kill:$signal reply:01 eof
		has end terminated
	done
}

@test "also where a parent left them ignored or blocked" {
	for signal in HUP INT QUIT; do
		play -i $signal -b $signal inet "${greet[@]}" kill:$signal \
			reply:01 eof
		has end terminated
	done
}

@test "USR1, USR2, XFSZ and PIPE are ignored" {
	start_target pattern:1K check:1K eof
	play inet "${greet[@]}" "send:$(request4 "$port")" reply:00 check:1K \
		kill:USR1 kill:USR2 kill:XFSZ kill:PIPE hold:50 pattern:1K \
		shut eof
	target_held
	has end client-eof
	play inet "${greet[@]}" kill:USR1 kill:USR2 kill:XFSZ kill:PIPE hold:50 \
		"send:$(request4 1)" reply:05 eof
	has end refused
}

@test "so they are in the processes of a listening service, spare or not" {
	for spare in 0 1; do
		start_service --spare=$spare
		there_may_be_spares
		for signal in HUP INT QUIT TERM; do
			enter a "$place" reply:01 closed
			kill -USR1 "$(handlers)"
			kill -$signal "$(handlers)"
			leave a
		done
		wait_for_records 4
		run ! grep -q "ended by signal" "$SERVER_LOG"
		stop_superservers
	done
}

there_may_be_spares()
{
	[ "$spare" -eq 0 ] || wait_until there_are 1 spares
}

@test "QUIT ends the listening service as TERM does" {
	start_service
	kill -QUIT "$service"
	service_left
}
