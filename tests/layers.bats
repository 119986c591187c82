#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# tests/layers.sh finds what it is there to find: each test breaks a copy of the
# tree in one place.

setup()
{
	cp -r "$TOP/src" "$TOP/static" "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR" || return
}

# complains LINE...: these and nothing else are complained of.
complains()
{
	local line

	run "$TOP/tests/layers.sh" .
	[ "$status" -eq 1 ] || return
	for line; do
		[[ $'\n'$output$'\n' == *$'\n'$line* ]] || {
			printf 'missing: %s\n%s\n' "$line" "$output"
			return 1
		}
	done
	[ "${#lines[@]}" -eq $# ] || {
		echo "$output"
		return 1
	}
}

# include FILE HEADER: as the last line of the file.
include()
{
	printf '#include "%s"\n' "$2" >>"$1"
}

@test "the tree as it is" {
	run "$TOP/tests/layers.sh"
	[ "$status" -eq 0 ]
}

@test "a module that includes one above it, or beside it" {
	include src/net/dial.h net/relay.h
	include src/base/textfile.h base/line.h
	complains \
		'src/net/dial.h:*: includes "net/relay.h": it stands above; ' \
		'src/base/textfile.h:*: includes "base/line.h": it stands beside; '
}

@test "every directory may look up the list, and none down" {
	local -a modules=(base/addr protocol/wire policy/rules net/dial
		net/udp/udp session/session service/accept) wrong=()

	for ((i = 0; i < ${#modules[@]}; i++)); do
		for ((j = 0; j < i; j++)); do
			include "src/${modules[i]}.c" "${modules[j]}.h"
		done
	done
	"$TOP/tests/layers.sh" .
	for ((i = 0; i < ${#modules[@]}; i++)); do
		for ((j = i + 1; j < ${#modules[@]}; j++)); do
			include "src/${modules[i]}.c" "${modules[j]}.h"
			wrong+=("src/${modules[i]}.c:*: includes \"${modules[j]}.h\": ${modules[j]%/*}/ stands above ${modules[i]%/*}/")
		done
	done
	complains "${wrong[@]}"
}

@test "config and net don't know each other" {
	include src/net/relay.c config/config.h
	include src/config/options.c net/dial.h
	complains \
		"src/net/relay.c:*: includes \"config/config.h\": net/ and config/ don't know each other" \
		"src/config/options.c:*: includes \"net/dial.h\": config/ and net/ don't know each other" \
		'src/config/options.c:*: includes "net/dial.h": net/ stands above config/'
}

@test "a module's header in angle brackets; the system's own may be" {
	printf '#include <base/addr.h>\n#include <poll.h>\n' >>src/base/io.c
	complains 'src/base/io.c:*: includes "base/addr.h" in <>; '
}

@test "a file that is neither .c nor .h" {
	touch src/base/addr.cc
	complains 'src/base/addr.cc: only modules stand here'
}

@test "what stands in for a module keeps to the same" {
	include static/systemd.c base/journal.h
	touch static/systemd.h
	printf '#include "base/addr.h"\n' >static/util.c
	complains \
		'static/systemd.c:*: includes "base/journal.h": it stands above; ' \
		'static/systemd.h: only .c files' \
		'static/util.c: no such module'
}

@test "a file that is no module, a header that is none, a header that isn't first" {
	touch src/net/util.c
	printf '#include "base/addr.h"\n#include "../x.h"\n' >src/base/line.c
	complains \
		'src/net/util.c: no such module' \
		'src/base/line.c:2: includes "../x.h": is no module' \
		'src/base/line.c: its first header has to be "base/line.h"'
}

@test "a module that is listed, and isn't there" {
	rm src/service/report.[ch]
	sed -i '/report.h/d' src/service/*.[ch]
	complains 'src/service/report.c: listed' 'src/service/report.h: listed'
}
