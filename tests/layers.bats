#!/usr/bin/env bats
# tests/layers.sh finds what it is there to find.

setup()
{
	mkdir "$BATS_TEST_TMPDIR/src"
	cd "$BATS_TEST_TMPDIR" || return
}

@test "the tree as it is" {
	run "$TOP/tests/layers.sh"
	[ "$status" -eq 0 ]
}

@test "a room that includes one above it, or beside it" {
	printf '#include "io.h"\n#include "relay.h"\n' >src/io.c
	printf '#include "log.h"\n' >src/io.h
	printf '#include "io.h"\n' >src/relay.h
	run "$TOP/tests/layers.sh" .
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 2 ]
	[ "${lines[0]}" = 'src/io.c:2: includes "relay.h", which is not below io' ]
	[ "${lines[1]}" = 'src/io.h:1: includes "log.h", which is not below io' ]
}

@test "a file that is no room, a header that is none, a header that isn't first" {
	touch src/util.c
	printf '#include "wire.h"\n#include "io.h"\n#include "../x.h"\n' >src/io.c
	run "$TOP/tests/layers.sh" .
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 3 ]
	[[ $output == *"src/util.c: no such room"* ]]
	[[ $output == *'src/io.c:3: includes "../x.h", which is no room'* ]]
	[[ $output == *'src/io.c: its first header has to be "io.h"'* ]]
}
