#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The recipes of doc/recipes.md, done as they are written there: its files, under
# the paths that their first lines name, and its commands, under a real systemd
# and for clients on another host.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load recipe

setup_file()
{
	boot_for_recipes
}

teardown_file()
{
	end_systemd
}

setup()
{
	start_recipe
}

teardown()
{
	[ -n "${LEFT_OUT:-}" ] || inside ip netns delete vpn 2>/dev/null || :
	end_recipe
}

# team_proxy [-w]
team_proxy()
{
	recipe "$@" recipes "A team proxy with passwords" <<<$'secret\nsecret'
	[[ ${clients[0]} == "curl -U alice -x socks5h://"*:1080\ * ]]
	run get "$url" -U alice:secret
	[ "$output" = "far away" ]
	expect_record SOCKS5_USER=alice SOCKS5_REPLY=0
	proxy='socks5h://[2001:db8::1]:1080'
	run get 'http://[2001:db8::2]:8080/file' -g -U alice:secret
	[ "$output" = "far away" ]
	expect_record SOCKS5_USER=alice SOCKS5_REPLY=0
	unset proxy
	run ! get "$url" -U alice:wrong --interface 192.0.2.4
	expect_record SOCKS5_USER=alice SOCKS5_END=auth-failed
	run ! get "$url" -U mallory:secret --interface 192.0.2.4
	expect_record SOCKS5_USER=mallory SOCKS5_END=auth-failed
	run ! get "$url"
	expect_record SOCKS5_END=no-method
	# What is internal stays so.
	run ! get http://192.0.2.1:1080/ -U alice:secret
	expect_record SOCKS5_USER=alice SOCKS5_REPLY=2
	# This host's own clients need one, too.
	run ! here -x socks5h://127.0.0.1:1080 "$url"
	expect_record SOCKS5_END=no-method
	run here -x socks5h://127.0.0.1:1080 -U alice:secret "$url"
	[ "$output" = "far away" ]
	expect_record SOCKS5_USER=alice SOCKS5_TARGET=192.0.2.2:8080
	# Who is taken out is out, with the next connection.
	inside sed -i s/^alice:/bob:/ /etc/socks5-handler/users
	[ -z "${1:-}" ] || inside systemctl reload socks5-handler-wait.service
	run ! get "$url" -U alice:secret --interface 192.0.2.4
	expect_record SOCKS5_USER=alice SOCKS5_END=auth-failed
	records_hold
	# The hash is for root and the account.
	[ "$(inside stat -c '%U %G %a' /etc/socks5-handler/users)" = \
		"root socks5-handler 640" ]
	run ! grep -F '$6$' <(journal -o json)
	no_failed_units
}

# banned: whom fail2ban would ban for what is in the journal, by the filter that
# is shipped
banned()
{
	local dir=$BATS_TEST_TMPDIR package path=""

	for package in fail2ban python3-systemd; do
		[ -d "$SUPERSERVERS/$package" ] ||
			unavailable "$package isn't unpacked here"
		path+=:$SUPERSERVERS/$package/usr/lib/python3/dist-packages
	done
	mkdir "$dir/filter.d"
	cp "$SUPERSERVERS/fail2ban/etc/fail2ban/filter.d/common.conf" \
		"$TOP/fail2ban/filter.d/socks5-handler.conf" "$dir/filter.d"
	cp -r "/proc/$PID1/root/run/log/journal" "$dir"
	PYTHONPATH=${path#:} timeout 60 python3 \
		"$SUPERSERVERS/fail2ban/usr/bin/fail2ban-regex" -o ip \
		"systemd-journal[journalpath=$(echo "$dir"/journal/*)]" \
		"$dir/filter.d/socks5-handler.conf"
}

@test "a team proxy with passwords, and whom fail2ban would ban" {
	need openssl
	team_proxy
	run banned
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = $'192.0.2.4\n192.0.2.4\n192.0.2.4' ]
}

@test "a team proxy with passwords, by the listening service" {
	need openssl
	team_proxy -w
}

@test "egress to a list of names" {
	recipe recipes "Egress to a list of names"
	proxy=socks5h://127.0.0.1:1080
	for name in www.example.org deb.debian.org WWW.Example.ORG; do
		run here -x $proxy "http://$name/"
		[ "$output" = "far away" ]
		expect_record SOCKS5_REPLY=0 "SOCKS5_TARGET=$name:80"
	done
	# Another name, the same address itself, another port, and a name
	# that is right and leads inside.
	for target in www.example.net:80 192.0.2.2:80 www.example.org:8080 \
		inner.example.org:80; do
		run ! here -x $proxy "http://$target/file"
		expect_record SOCKS5_REPLY=2 "SOCKS5_TARGET=$target"
	done
	# A line that is taken out counts from the next connection on.
	inside sed -i /deb.debian.org/d /etc/socks5-handler/rules
	run ! here -x $proxy http://deb.debian.org/
	expect_record SOCKS5_REPLY=2 SOCKS5_TARGET=deb.debian.org:80
	records_hold
	no_failed_units
}

# contained UID COMMAND: what a shell makes of it, for this user
contained()
{
	inside setpriv --reuid "$1" --regid "$1" --clear-groups sh -c "$2"
}

@test "a container without a network" {
	need bwrap
	setpriv --reuid 1001 --regid 1001 --clear-groups \
		unshare -rn true 2>/dev/null ||
		unavailable "only root can make namespaces here"
	recipe recipes "A container without a network"
	client=${clients[0]}
	[[ $client == "bwrap "*"curl "*" http://www.example.org/" ]]
	for uid in 1001 1002; do
		run contained $uid "$client"
		[ "$output" = "far away" ]
		expect_record SOCKS5_REPLY=0 SOCKS5_TARGET=www.example.org:80
	done
	# The one of them may go elsewhere.
	client=${client/www.example.org/192.0.2.2}
	run contained 1002 "$client"
	[ "$output" = "far away" ]
	expect_record SOCKS5_REPLY=0 SOCKS5_TARGET=192.0.2.2:80
	run ! contained 1001 "$client"
	expect_record SOCKS5_REPLY=2 SOCKS5_TARGET=192.0.2.2:80
	# Neither reaches what is inside, and a third one nothing at all.
	for uid in 1001 1002; do
		run ! contained $uid "${client/192.0.2.2/inner.example.org}"
		expect_record SOCKS5_REPLY=2 SOCKS5_TARGET=inner.example.org:80
	done
	run ! contained 1003 "$client"
	expect_record SOCKS5_END=no-method
	records_hold
	[ "$(journal -o json MESSAGE_ID="$message_id" |
		grep -c '"unix:uid=1001,pid=')" -eq 3 ]
	# And there is no other way out.
	run ! contained 1002 "${client/-x *ket /--noproxy \* }"
	[[ $output == *"Failed to connect"* ]]
	no_failed_units
}

# make_vpn: its network namespace in the sandbox, where the way out is by
# 198.51.100.7 to the other host, which has a name server on this side only.
make_vpn()
{
	inside ip netns add vpn
	inside ip -n vpn link add tun type veth peer name far netns 1
	ip link set far netns "$remote"
	there sh -c 'ip address add 198.51.100.1/24 dev far
		ip address add 203.0.113.80/32 dev lo
		ip link set far up'
	inside ip -n vpn address add 198.51.100.7/24 dev tun
	inside ip -n vpn link set lo up
	inside ip -n vpn link set tun up
	inside ip -n vpn route add default via 198.51.100.1
	# From here there is another way.
	ip route add default via 192.0.2.2
	start_there "$HOSTS/nameserver" -a 198.51.100.1 \
		"$BATS_TEST_TMPDIR/names" 203.0.113.80
	wait_until [ -e "$BATS_TEST_TMPDIR/names" ]
	mkdir "$BATS_TEST_TMPDIR/web/cgi-bin"
	cat >"$BATS_TEST_TMPDIR/web/cgi-bin/from" <<-\END
		#!/bin/sh
		printf 'Content-Length: %d\r\n\r\n%s' ${#REMOTE_ADDR} \
			"$REMOTE_ADDR"
	END
	chmod +x "$BATS_TEST_TMPDIR/web/cgi-bin/from"
}

# comes_out_of_vpn [-w]
comes_out_of_vpn()
{
	local seen=203.0.113.80/cgi-bin/from

	make_vpn
	run here --noproxy '*' "http://$seen"
	echo "$output"
	[ "$output" = 192.0.2.1 ]
	recipe "$@" recipes "A port here that comes out of a VPN"
	proxy=socks5h://127.0.0.1:1080
	run here -x $proxy "http://$seen"
	echo "$output"
	[ "$output" = 198.51.100.7 ]
	expect_record SOCKS5_REPLY=0 SOCKS5_ADDRESS=203.0.113.80:80
	# A name that only the VPN's name server knows, and one that it knows
	# better than whoever was asked here.
	run here -x $proxy http://only.test/cgi-bin/from
	[ "$output" = 198.51.100.7 ]
	expect_record SOCKS5_REPLY=0 SOCKS5_TARGET=only.test:80
	# What is at hand here isn't there.
	run ! here -x $proxy "http://127.0.0.1:$WEB_PORT/file"
	expect_record SOCKS5_REPLY=5
	records_hold
}

could_not_start()
{
	inside journalctl --sync
	journal -o cat | grep 'status=225/NETWORK'
}

@test "a port here that comes out of a VPN" {
	comes_out_of_vpn
	no_failed_units
	# Without the VPN there is no way out, and none around it.
	inside ip netns delete vpn
	run ! here -x $proxy http://203.0.113.80/cgi-bin/from
	wait_until could_not_start
	[ "$(journal -o cat "MESSAGE_ID=$message_id" | wc -l)" -eq 3 ]
}

@test "a port here that comes out of a VPN, by the listening service" {
	comes_out_of_vpn -w
	no_failed_units
}
