#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The command line: --help, --version, and one sentence for what is wrong.

complains()
{
	echo "status $status: $output"
	[ "$status" -eq 64 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "socks5-handler: $1"* ]]
}

# options: what --help lists, a name to a line, its value behind it if it has one
options()
{
	"$HANDLER" --help | sed -nE 's/^  --([a-z-]+)=?([^ ]*).*/\1 \2/p'
}

@test "--help fits a page" {
	run "$HANDLER" --help
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -le 64 ]
	for line in "${lines[@]}"; do
		[ ${#line} -le 80 ]
	done
	run "$HANDLER" --help=page
	complains "--help=page: no such form; write conf, or nothing"
}

@test "the manual has every option, its default, and no other" {
	man=$TOP/man/socks5-handler.8
	options | cut -d ' ' -f 1 | sort >"$BATS_TEST_TMPDIR/options"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/options")" -ge 30 ]
	sed -nE 's/^\.It Fl -([a-z-]+).*/\1/p' "$man" | sort |
		diff "$BATS_TEST_TMPDIR/options" -
	"$HANDLER" --help | sed -nE \
		's/^  --([a-z-]+).*\(default ([0-9]+)\)$/\1 \2/p' \
		>"$BATS_TEST_TMPDIR/defaults"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/defaults")" -ge 7 ]
	while read -r option default; do
		echo "--$option: $default"
		sed -n "/^\.It Fl -$option/,/^\.\(It\|El\)/{//!p}" "$man" |
			grep -qw "^The default is $default"
	done <"$BATS_TEST_TMPDIR/defaults"
}

@test "--help has every exit status of the manual" {
	local status

	statuses=$(sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It //p' \
		"$TOP/man/socks5-handler.8")
	[ "$(wc -l <<<"$statuses")" -ge 4 ]
	help=$("$HANDLER" --help | sed -n '/^Exit status:/,$p')
	for status in $statuses; do
		grep -qw -- "$status" <<<"$help"
	done
}

@test "the manual of the rules has every term" {
	echo "allow nonsense" >"$BATS_TEST_TMPDIR/rules"
	chmod 644 "$BATS_TEST_TMPDIR/rules"
	run "$HANDLER" --check --rules="$BATS_TEST_TMPDIR/rules"
	words=${output#*no such word; write }
	words=${words//,/}
	[[ $words == "from user= "*" or "* ]]
	grep -o '[a-z]*=' <<<"$words" | while read -r word; do
		echo "$word"
		grep -qE "^\.It (.* )?Cm $word( |\$)" \
			"$TOP/man/socks5-handler.rules.5"
	done
}

@test "--help=conf: every option but the command line's, ready to be used" {
	"$HANDLER" --help=conf >"$BATS_TEST_TMPDIR/conf"
	run "$HANDLER" --check --config="$BATS_TEST_TMPDIR/conf"
	[ "$status" -eq 0 ]
	echo "alice:$(openssl passwd -6 secret)" >"$BATS_TEST_TMPDIR/users"
	echo "allow to any" >"$BATS_TEST_TMPDIR/rules"
	echo secret >"$BATS_TEST_TMPDIR/password"
	chmod 600 "$BATS_TEST_TMPDIR"/{users,rules,password}
	options | while read -r option value; do
		echo "$option $value"
		case $option in
		config | check | help | version | explain | from | user | uid | \
			command)
			run ! grep "^#$option\b" "$BATS_TEST_TMPDIR/conf"
			continue
			;;
		esac
		sed -nE "s|^#($option( .*)?)\$|\1|p" "$BATS_TEST_TMPDIR/conf" |
			sed "s|/etc/socks5-handler|$BATS_TEST_TMPDIR|" \
				>"$BATS_TEST_TMPDIR/one"
		[ "$(wc -l <"$BATS_TEST_TMPDIR/one")" -eq 1 ]
		[ "$option" != upstream-password ] ||
			echo upstream socks5://alice@192.0.2.1 \
				>>"$BATS_TEST_TMPDIR/one"
		# What this host has, for the examples are of another one.
		case $option in
		source) echo source 127.0.0.1 >"$BATS_TEST_TMPDIR/one" ;;
		interface) echo interface lo >"$BATS_TEST_TMPDIR/one" ;;
		mark) [ "$(id -u)" -eq 0 ] || continue ;;
		esac
		# The static build can't check such passwords.
		[ "$BUILD/$option" = static/users ] ||
			"$HANDLER" --check --config="$BATS_TEST_TMPDIR/one"
		# And what a shell's completion finds in it.
		case $value in
		*'|'*)
			for word in ${value//|/ }; do
				# The static build has no journal.
				[[ $word != [a-z]* || $BUILD/$word = static/journal ]] ||
					"$HANDLER" --check "--$option=$word" </dev/null
			done
			;;
		esac
	done
}

@test "--version" {
	run "$HANDLER" --version
	[ "$status" -eq 0 ]
	[[ $output =~ ^socks5-handler\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "unknown options" {
	run "$HANDLER" --nonsense
	complains "--nonsense: no such option"
	run "$HANDLER" -x
	complains "-x: no such option"
	run "$HANDLER" --log=none -xyz
	complains "-x: no such option"
	run "$HANDLER" word
	complains "word: "
}

@test "missing and superfluous values" {
	run "$HANDLER" --lifetime
	complains "--lifetime: needs a value; write for example --lifetime=30"
	run "$HANDLER" --log
	complains "--log: needs a value; write for example --log=syslog"
	run "$HANDLER" --version=3
	complains "--version=3: takes no value"
}

@test "bad numbers" {
	for option in handshake-timeout connect-timeout lifetime idle-timeout \
		idle-exit; do
		for value in "" x 3x -1 1e3 0x10 " 3" "3 " 1. .5 nan inf \
			99999999999999999999 315360001; do
			run "$HANDLER" "--$option=$value"
			complains "--$option=$value: not a number of seconds"
			[[ $output == *"; write for example "*[36]0* ]]
		done
	done
}

@test "bad counts" {
	for option in max-clients max-per-source spare; do
		for value in "" x -1 1.5 4194305; do
			run "$HANDLER" "--$option=$value"
			complains "--$option=$value: not a number up to"
		done
	done
}

@test "bad ports and addresses for datagrams" {
	for value in "" 40000 40000- -40000 0-1 2-1 1-65536 a-b 1-2-3 "1 - 2" \
		40000:40999; do
		run "$HANDLER" "--udp-ports=$value"
		complains "--udp-ports=$value: not a range of ports; write for example --udp-ports=40000-40999"
	done
	for value in "" here 192.0.2.256 192.0.2.1:1080 192.0.2.0/24 \
		"[2001:db8::1]" example.org; do
		run "$HANDLER" "--udp-advertise=$value"
		complains "--udp-advertise=$value: not an address; write for example --udp-advertise=192.0.2.1"
	done
	for option in mptcp resolve; do
		run "$HANDLER" "--$option=yes"
		complains "--$option=yes: takes no value"
	done
}

@test "a mistake in a configuration file" {
	file=$BATS_TEST_TMPDIR/conf
	printf '# first\nlifetime 60\nidle-timeout never\n' >"$file"
	run "$HANDLER" "--config=$file"
	complains "$file:3: idle-timeout never: not a number of seconds"
	[[ $output == *"write for example 60, or 0 for no limit" ]]
	run "$HANDLER" --config="$BATS_TEST_TMPDIR"
	complains "--config=$BATS_TEST_TMPDIR: "
	run "$HANDLER" --config="$file.not"
	complains "--config=$file.not: No such file"
}

@test "bad log targets" {
	for value in "" file stdout Journal "auto|journal"; do
		run "$HANDLER" "--log=$value"
		complains "--log=$value: not one of auto|journal|syslog|stderr|none; write for example --log=syslog"
	done
}

# bats test_tags=static
@test "the journal is no log target of the static build" {
	run "$HANDLER" --log=journal
	complains "--log=journal: the static build can't write to the journal; write auto, syslog, stderr or none"
	echo "log journal" >"$BATS_TEST_TMPDIR/conf"
	run "$HANDLER" "--config=$BATS_TEST_TMPDIR/conf"
	complains "$BATS_TEST_TMPDIR/conf:1: log journal: the static build can't write to the journal; "
}
