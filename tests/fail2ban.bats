#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What fail2ban makes of our records, with the filter that is shipped: of such
# as handlers have written, in a file and by syslog, and of made-up ones. Those
# in the journal are read in recipes.bats.

load remote

setup()
{
	fail2ban=$SUPERSERVERS/fail2ban
	[ -x "$fail2ban/usr/bin/fail2ban-regex" ] ||
		skip "fail2ban isn't unpacked here"
	mkdir "$BATS_TEST_TMPDIR/filter.d"
	cp "$fail2ban/etc/fail2ban/filter.d/common.conf" \
		"$TOP/fail2ban/filter.d/socks5-handler.conf" \
		"$BATS_TEST_TMPDIR/filter.d"
}

teardown()
{
	[ -z "${syslogd:-}" ] || end_process "$syslogd"
	stop_remote
	handler_teardown
}

# banned: whom fail2ban would ban for the log on standard input, a line each.
banned()
{
	cat >"$BATS_TEST_TMPDIR/log"
	PYTHONPATH=$fail2ban/usr/lib/python3/dist-packages \
		timeout 60 python3 "$fail2ban/usr/bin/fail2ban-regex" \
		-o ip "$BATS_TEST_TMPDIR/log" \
		"$BATS_TEST_TMPDIR/filter.d/socks5-handler.conf"
}

# tries: alice with her password, without, and with a wrong one, somebody who
# isn't known, and one who would like somebody else to be banned. Two come from
# 192.0.2.4 and the last one by IPv6; five records are to be written.
tries()
{
	local url=http://192.0.2.2:8080/file
	local name=$'x\nclient=192.0.2.9:1 user=x end=auth-failed '

	run get "$url" -U alice:secret
	[ "$output" = "far away" ]
	run ! get "$url"
	run ! get "$url" -U alice:wrong --interface 192.0.2.4
	run ! get "$url" -U mallory:secret --interface 192.0.2.4
	there "$HOSTS/client" 'tcp:[2001:db8::1]:1080' send:050102 recv:0502 \
		"send:01$(printf %02x ${#name})$(hex_of "$name")0178" \
		recv:0101 eof
}

write_users()
{
	users=$BATS_TEST_TMPDIR/users
	printf 'alice:%s\n' "$(openssl passwd -6 secret)" >"$users"
	chmod 600 "$users"
}

@test "wrong passwords and unknown users, as handlers write them to a file" {
	need busybox openssl
	start_remote
	write_users
	serve --users="$users"
	tries
	wait_for_records 5
	has user 'x\x0aclient=192.0.2.9:1\x20user=x\x20end=auth-failed\x20'
	# With the time in front, as svlogd and its like put it there.
	run banned < <(busybox ts '%Y-%m-%d_%H:%M:%S.00000' <"$SERVER_LOG")
	echo "$output"
	[ "${lines[*]}" = "192.0.2.4 192.0.2.4 2001:db8::2" ]
}

in_syslog()
{
	[ "$(grep -c ' client=.* end=' "$BATS_TEST_TMPDIR/messages")" -eq "$1" ]
}

@test "... and as a syslogd does" {
	need busybox openssl
	need_root "have a /dev of its own"
	start_remote
	write_users
	# -S leaves out the level, which fail2ban takes for no part of a line.
	# The two have a /dev in which there is nobody else's log.
	mkdir "$BATS_TEST_TMPDIR/dev"
	touch "$BATS_TEST_TMPDIR/dev"/{null,urandom}
	within=(unshare -m sh -c 'for file in null urandom; do
		mount --bind "/dev/$file" "$0/$file"; done
		mount --rbind "$0" /dev; exec "$@"' "$BATS_TEST_TMPDIR/dev")
	"${within[@]}" busybox syslogd -n -S -O "$BATS_TEST_TMPDIR/messages" \
		3>&- &
	syslogd=$!
	wait_until [ -S "$BATS_TEST_TMPDIR/dev/log" ]
	serve --users="$users" --log=syslog
	tries
	wait_until in_syslog 5
	cat "$BATS_TEST_TMPDIR/messages"
	run banned <"$BATS_TEST_TMPDIR/messages"
	echo "$output"
	[ "${lines[*]}" = "192.0.2.4 192.0.2.4 2001:db8::2" ]
}

syslog='Nov 25 07:08:20 host socks5-handler[123]:'
iso='2026-11-25T07:08:20.123456+00:00 host socks5-handler[124]:'
rest='bytes_up=0 bytes_down=0 duration_ms=12'
failed='end=auth-failed error="wrong name or password"'

@test "a failed login, of an IPv4 and an IPv6 client, with fields to come" {
	run banned <<-EOF
		$syslog client=192.0.2.1:50412 user=alice $rest $failed
		$iso client=192.0.2.2:50412 user=alice $rest $failed
		$syslog client=[2001:db8::1]:50412 user=alice $rest $failed
		$iso client=[2001:db8::2]:50412 user=alice $rest $failed
		$syslog client=192.0.2.3:1 user=a rule="a file:3" reply=1 $failed
		$syslog client=192.0.2.4:1 user=a end=auth-failed
	EOF
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[*]}" = "192.0.2.1 192.0.2.2 2001:db8::1 2001:db8::2 192.0.2.3 192.0.2.4" ]
}

@test "a link-local client, which has its interface in its address" {
	run banned <<-EOF
		$syslog client=[fe80::7%2]:50412 user=alice $rest $failed
		$iso client=[fe80::a00:27ff:fe4e:66a1%eth0]:1 user=alice $rest $failed
	EOF
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[*]}" = "fe80::7 fe80::a00:27ff:fe4e:66a1" ]
}

@test "filter and jail, copied to where fail2ban looks for them" {
	# What it would do, with all that its package brings.
	cp -r "$fail2ban/etc/fail2ban" "$BATS_TEST_TMPDIR/etc"
	rm "$BATS_TEST_TMPDIR"/etc/jail.d/*
	cp -r "$TOP"/fail2ban/. "$BATS_TEST_TMPDIR/etc"
	PYTHONPATH=$fail2ban/usr/lib/python3/dist-packages \
		timeout 60 python3 "$fail2ban/usr/bin/fail2ban-client" \
		-c "$BATS_TEST_TMPDIR/etc" -d >"$BATS_TEST_TMPDIR/says"
	cat "$BATS_TEST_TMPDIR/says"
	for part in "'add', 'socks5-handler', 'systemd'" \
		"'socks5-handler', 'addfailregex', " \
		"'socks5-handler', 'addjournalmatch', \
'MESSAGE_ID=2f62bec659de4328a56333ca27f72940', 'SOCKS5_END=auth-failed'" \
		"'port', '1080'" "'start', 'socks5-handler'"; do
		grep -qF "$part" "$BATS_TEST_TMPDIR/says"
	done
	# No other.
	[ "$(grep -c "^\['start', " "$BATS_TEST_TMPDIR/says")" -eq 1 ]
}

@test "nobody is banned for a name that was made up, or for another end" {
	run banned <<-EOF
		$syslog client=192.0.2.1:1 user=x\\x20client=192.0.2.9:1\\x20end=\\x22auth-failed\\x22\\x0a $rest $failed
		$syslog client=192.0.2.2:1 user=end=auth-failed $rest end=refused error="no"
		$syslog client=192.0.2.2:1 user=alice command=CONNECT target=end=auth-failed:80 reply=0 end=client-eof
		$syslog client=192.0.2.2:1 user=alice reply=2 end=refused error="end=auth-failed"
		$syslog client=192.0.2.2:1 user=alice reply=2 end=refused error="x end=auth-failed"
		$syslog client=192.0.2.2:1 duration_ms=12 end=no-method error="no method in common"
		$syslog client=unix:uid=1000,pid=4711 user=alice $failed
		$syslog client=pipe:192.0.2.2:50412 user=alice $failed
		$syslog client=pipe user=alice $failed
		$syslog x client=192.0.2.2:1 user=alice $failed
		Nov 25 07:08:20 host sshd[123]: client=192.0.2.2:1 user=alice $failed
	EOF
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = 192.0.2.1 ]
}
