#!/usr/bin/env bats
# What fail2ban makes of our records, with the filter that is shipped.

setup()
{
	fail2ban=$SUPERSERVERS/fail2ban
	[ -x "$fail2ban/usr/bin/fail2ban-regex" ] ||
		skip "fail2ban isn't unpacked here"
	mkdir "$BATS_TEST_TMPDIR/filter.d"
	cp "$fail2ban/etc/fail2ban/filter.d/common.conf" \
		"$TOP/fail2ban/socks5-handler.conf" "$BATS_TEST_TMPDIR/filter.d"
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
