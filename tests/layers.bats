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
	[[ ${lines[0]} == 'src/io.c:2: includes "relay.h", which stands above it; '* ]]
	[[ ${lines[1]} == 'src/io.h:1: includes "log.h", which stands beside it; '* ]]
}

@test "every floor may look down, and none up" {
	local -a rooms=(wire log dial relay reach accept)

	for ((i = 0; i < ${#rooms[@]}; i++)); do
		for ((j = 0; j < ${#rooms[@]}; j++)); do
			rm -f src/*
			printf '#include "%s.h"\n' "${rooms[i]}" "${rooms[j]}" \
				>"src/${rooms[i]}.c"
			run "$TOP/tests/layers.sh" .
			[ "$status" -eq $((j > i)) ]
			[ "${#lines[@]}" -eq 1 ]
		done
	done
}

@test "a room's header in angle brackets; the system's own may be" {
	printf '# include "io.h"\n#include <relay.h>\n#include <poll.h>\n' >src/io.c
	run "$TOP/tests/layers.sh" .
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == 'src/io.c:2: includes "relay.h" in <>; '* ]]
}

@test "a file that is neither .c nor .h" {
	touch src/wire.cc
	run "$TOP/tests/layers.sh" .
	[ "$status" -eq 1 ]
	[[ ${lines[0]} == "src/wire.cc: only rooms live here"* ]]
}

@test "what stands in for a room keeps to the same" {
	mkdir static
	printf '#include "systemd.h"\n' >static/systemd.c
	run "$TOP/tests/layers.sh" .
	[ "$status" -eq 0 ]
	printf '#include "wire.h"\n' >>static/systemd.c
	touch static/systemd.h static/util.c
	run "$TOP/tests/layers.sh" .
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[0]} == 'static/systemd.c:2: includes "wire.h", which stands beside it; '* ]]
	[[ ${lines[1]} == "static/systemd.h: only .c files of rooms live here" ]]
	[[ ${lines[2]} == "static/util.c: no such room"* ]]
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
