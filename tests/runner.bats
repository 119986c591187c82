#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# tests/run over a tree with suites of its own.

load common

setup()
{
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/tests" "$tree/build/release/tests/unit" \
		"$tree/build/release/tests/fuzz"
	cp "$TOP/tests/run" "$tree/tests"
	# Nothing of the bats that runs this is known to the one inside.
	inside=(env -i PATH="${PATH//"$BATS_LIBEXEC:"/}" HOME="$HOME" JOBS=2
		TREE="$tree")
}

teardown()
{
	[ -z "${runner:-}" ] || end_process "$runner"
}

# suite NAME: a bats file, from standard input; bats would take an @test for one
# of ours.
suite()
{
	sed s/@@test/@test/ >"$tree/tests/$1.bats"
}

# unit NAME: a program that is a unit test, from standard input.
unit()
{
	cat >"$tree/build/release/tests/unit/$1"
	chmod +x "$tree/build/release/tests/unit/$1"
}

# run_tests [NAME=VALUE...] SUITE...
run_tests()
{
	while [[ $1 == *=* ]]; do
		inside+=("$1")
		shift
	done
	timeout 30 "${inside[@]}" "$tree/tests/run" release "$@"
}

@test "a failed test is shown while the others run, and named at the end" {
	local status=0

	suite slow <<-\END
		@@test "bad" {
			echo "a reason"
			false
		}
		@@test "good" {
			until [ -e "$TREE/go" ]; do sleep 0.05; done
		}
	END
	run_tests slow >"$tree/out" 2>&1 3>&- &
	runner=$!
	wait_until grep -q '^# a reason' "$tree/out"
	: >"$tree/go"
	wait "$runner" || status=$?
	runner=
	[ "$status" -eq 1 ]
	diff - <(grep -v ' s$' "$tree/out") <<-END
		slow: not ok 1 bad
		# (in test file tests/slow.bats, line 3)
		#   \`false' failed
		# a reason
		Failed:
		  slow: bad (tests/slow.bats:3)
		1 passed, 1 failed
	END
}

@test "what two suites say at once is not mixed up" {
	local name i

	for name in one other; do
		suite "$name" <<-END
			@@test "bad" {
				: >"\$TREE/$name"
				until [ -e "\$TREE/one" ] && [ -e "\$TREE/other" ]
				do sleep 0.02; done
				for i in {1..3000}; do echo "$name \$i"; done
				false
			}
		END
	done
	run -1 run_tests one other
	for name in one other; do
		for i in {1..3000}; do echo "# $name $i"; done |
			cmp - <(grep -A 3002 "^$name: not ok" <<<"$output" |
				tail -n +4)
	done
	[ "${lines[-1]}" = "0 passed, 2 failed" ]
}

@test "TEST chooses by name, and suites without such a test are silent" {
	suite some <<-\END
		@@test "this one" { :; }
		@@test "that one" { false; }
	END
	suite none <<-\END
		@@test "another" { false; }
	END
	run -0 run_tests TEST='^this' some none
	[[ ${lines[0]} == "some "*" 1 passed   0 failed "* ]]
	[ "${#lines[@]}" -eq 2 ]
	[ "${lines[1]}" = "1 passed, 0 failed" ]
	run -1 run_tests TEST='^nothing' some none
	[ "$output" = "0 passed, 0 failed" ]
}

@test "a unit test's row and what its processes say come before its result" {
	unit test_rows <<-\END
		#!/bin/sh
		echo 1..2
		echo left out
		echo ok 1 - fine
		echo tests/unit/base/test_rows.c:7: child >&2
		echo '# with: row 3'
		echo not ok 2 - rows
		echo '# 1 != 2'
		exit 1
	END
	run -1 run_tests test_rows
	diff - <(grep -v ' s$' <<<"$output") <<-\END
		test_rows: not ok 2 - rows
		tests/unit/base/test_rows.c:7: child
		# with: row 3
		# 1 != 2
		Failed:
		  test_rows: rows (tests/unit/base/test_rows.c:7)
		1 passed, 1 failed
	END
}

@test "a suite that dies, or runs less than it meant to, has failed" {
	unit test_dies <<-\END
		#!/bin/sh
		echo 1..2
		echo ok 1 - fine
		echo dying >&2
		kill -9 $$
	END
	unit test_less <<-\END
		#!/bin/sh
		echo 1..2
		echo ok 1 - fine
	END
	unit test_empty <<-\END
		#!/bin/sh
		:
	END
	run -1 run_tests test_dies test_less test_empty
	[[ $output == *$'test_dies: not ok - test_dies ended with status 137 after 1 of 2 tests\ndying\n'* ]]
	[[ $output == *$'\n  test_less: test_less ended with status 0 after 1 of 2 tests\n'* ]]
	[[ $output == *$'\n  test_empty: test_empty ended with status 0 after 0 of 0 tests\n'* ]]
	[ "${lines[-1]}" = "2 passed, 3 failed" ]
}

@test "what a unit test skips is left out, and in CI has failed" {
	unit test_skips <<-\END
		#!/bin/sh
		echo 1..2
		echo ok 1 - fine
		echo 'not ok 2 # SKIP elsewhere'
	END
	run -0 run_tests test_skips
	[[ $output == *$'\nnot ok 2 # SKIP elsewhere\n1 passed, 0 failed, 1 skipped' ]]
	run -1 run_tests CI=true test_skips
	[ "${lines[-1]}" = "1 passed, 1 failed" ]
}

@test "a process that a test left behind keeps nobody waiting" {
	unit test_leaves <<-\END
		#!/bin/sh
		sleep 60 &
		echo $! >"$TREE/pid"
		echo 1..1
		echo ok 1 - fine
	END
	run -0 run_tests test_leaves
	kill "$(cat "$tree/pid")"
}
