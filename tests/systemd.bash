# SPDX-License-Identifier: ISC
# For bats: a real systemd with the units as they are installed, in the sandbox
# of tests/systemd-sandbox.sh, which is booted once for all tests of a suite.
#
# It has a network of its own, where port 1080 is free and the web server and
# the targets run; and a journal of its own, which the records are read from.

load handler
load traffic

message_id=2f62bec659de4328a56333ca27f72940

is_up_or_gone()
{
	[ -e "$STATE/pid1" ] || is_gone "$sandbox"
}

# boot_systemd SERVICE...: for setup_file(). Each gets a drop-in for the
# sanitizers, which look for leaks by means that the unit forbids. All is
# installed to $prefix, from the tree $tree, which is ours by default, and
# $sandbox_option is the sandbox's.
boot_systemd()
{
	local units=$BATS_FILE_TMPDIR/units sandbox status=0 tool service

	export STATE=$BATS_FILE_TMPDIR/sandbox PID1
	need_root "boot systemd"
	need nsenter make curl busybox systemctl
	[ -z "${LEFT_OUT:-}" ] || return 0
	mkdir -p "$STATE" "$units"
	# MAKEFLAGS would be those of the make that runs the tests.
	env -u MAKEFLAGS make -s -C "${tree:-$TOP}" BUILD="${BUILD:-release}" \
		-o "build/${BUILD:-release}/socks5-handler" \
		DESTDIR="$STATE/files" PREFIX="${prefix:-/usr}" install
	for service; do
		mkdir "$units/$service.d"
		printf '[Service]\nEnvironment=ASAN_OPTIONS=%s\n' \
			abort_on_error=1:detect_leaks=0 \
			>"$units/$service.d/sanitizer.conf"
	done

	"$TOP/tests/systemd-sandbox.sh" ${sandbox_option:+"$sandbox_option"} \
		"$STATE" "$units" -- sleep infinity \
		>"$BATS_FILE_TMPDIR/sandbox.log" 2>&1 3>&- &
	sandbox=$!
	echo $sandbox >"$BATS_FILE_TMPDIR/sandbox.pid"
	patience=60 wait_until is_up_or_gone
	if [ ! -e "$STATE/pid1" ]; then
		wait $sandbox || status=$?
		cat "$BATS_FILE_TMPDIR/sandbox.log" >&2
		[ "$status" -eq 77 ]
		unavailable "$(tail -n 1 "$BATS_FILE_TMPDIR/sandbox.log")"
		return
	fi
	PID1=$(cat "$STATE/pid1")
	# As `make install` does without DESTDIR; version 0.1 had none of it.
	if [ -d "$STATE/files/etc/socks5-handler" ]; then
		inside systemd-sysusers socks5-handler.conf
		inside chgrp socks5-handler /etc/socks5-handler/users
		inside cp -a /etc/socks5-handler /etc/as-installed
	fi

	# The tools of this machine, in the sandbox's network: fetch() and
	# start_target() take them without knowing.
	mkdir "$BATS_FILE_TMPDIR/tools"
	for tool in curl "$HOSTS/client" "$HOSTS/target"; do
		printf '#!/bin/sh\nexec nsenter -t %d -n -- "%s" "$@"\n' \
			"$PID1" "$(command -v "$tool")" \
			>"$BATS_FILE_TMPDIR/tools/${tool##*/}"
		chmod +x "$BATS_FILE_TMPDIR/tools/${tool##*/}"
	done
	start_web nsenter -t "$PID1" -n --
}

# For teardown_file().
end_systemd()
{
	stop_web
	if [ -s "$BATS_FILE_TMPDIR/sandbox.pid" ]; then
		end_process "$(cat "$BATS_FILE_TMPDIR/sandbox.pid")"
	fi
}

# For setup(): the tools, and where in the journal the test begins.
enter_systemd()
{
	skip_if_left_out
	HOSTS=$BATS_FILE_TMPDIR/tools
	PATH=$BATS_FILE_TMPDIR/tools:$PATH
	proxy=socks5h://127.0.0.1:1080
	url=http://localhost:$WEB_PORT/file
	run_units=/proc/$PID1/root/run/systemd/system
	# journalctl's --after-cursor loses an entry when it has to match, so
	# that --cursor is used, from an entry that never does.
	inside logger -- "$BATS_TEST_DESCRIPTION"
	inside journalctl --sync
	cursor=$(inside journalctl -n 0 --show-cursor |
		sed -n 's/^-- cursor: //p')
}

# inside COMMAND...: in all of its namespaces.
inside()
{
	nsenter -t "$PID1" -m -p -u -i -n -C -- "$@"
}

in_network()
{
	nsenter -t "$PID1" -n -- "$@"
}

# write_unit NAME: from standard input, to be gone after the test.
write_unit()
{
	local file=$run_units/$1

	mkdir -p "${file%/*}"
	cat >"$file"
}

# drop_in UNIT LINE...: into its section.
drop_in()
{
	local unit=$1 section=Service

	[[ $unit == *.service ]] || section=Socket
	shift
	printf '%s\n' "[$section]" "$@" | write_unit "$unit.d/test.conf"
	inside systemctl daemon-reload
	[ $section = Service ] || inside systemctl restart "$unit"
}

# configure LINE...: the options, in /etc/socks5-handler/handler.conf.
configure()
{
	configured=yes
	printf '%s\n' "$@" |
		inside tee /etc/socks5-handler/handler.conf >/dev/null
}

# restore_configuration: /etc/socks5-handler as it was, for teardown().
restore_configuration()
{
	[ -n "${configured:-}" ] || return 0
	inside rm -rf /etc/socks5-handler
	inside cp -a /etc/as-installed /etc/socks5-handler
}

# write_users NAME:PASSWORD...: the users file, as htpasswd makes it; it stays
# root's, for the account to read. And rules that let them reach this machine.
write_users()
{
	local user file=/etc/socks5-handler/users

	need htpasswd
	configured=yes
	inside cp -a "/etc/as-installed/users" "$file"
	for user; do
		inside htpasswd -bB "$file" "${user%%:*}" "${user#*:}"
	done 2>/dev/null
	[ "$(inside stat -c '%U:%G %a' "$file")" = "root:socks5-handler 640" ]
	echo 'allow  user=*  to any, internal' |
		inside tee /etc/socks5-handler/rules >/dev/null
}

no_failed_units()
{
	inside systemctl --failed --no-legend --plain
	[ -z "$(inside systemctl --failed --no-legend --plain)" ]
}

# journal ARG...: what came since the test began.
journal()
{
	inside journalctl -q --no-pager --cursor="$cursor" "$@"
}

# json NAME: a field of $fields; none of these has a quote in it.
json()
{
	sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" <<<"$fields"
}
