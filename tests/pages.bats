#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What README.md and the pages of doc/ say one should do, done as it is written
# there; recipes.bats has those of doc/recipes.md.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load recipe
load sshd

# unpack PACKAGE...: into what is laid over the sandbox's root
unpack()
{
	local package

	mkdir -p "$BATS_FILE_TMPDIR/sandbox/files"
	for package; do
		[ -d "$SUPERSERVERS/$package" ] ||
			unavailable "$package isn't unpacked here" || return
		[ -z "${LEFT_OUT:-}" ] || return 0
		cp -a "$SUPERSERVERS/$package/." "$BATS_FILE_TMPDIR/sandbox/files"
	done
}

setup_file()
{
	unpack xinetd openbsd-inetd inetutils-inetd ucspi-tcp ipsvd
	[ -n "${LEFT_OUT:-}" ] || start_sshd
	[ -n "${LEFT_OUT:-}" ] || boot_for_recipes
}

teardown_file()
{
	end_systemd
	stop_sshd
}

setup()
{
	start_recipe
}

teardown()
{
	# What ControlPersist has left, under the name that run_inside has.
	[ -n "${LEFT_OUT:-}" ] || nsenter -t "$PID1" -m -n -- \
		ssh -O exit gateway.example.org 2>/dev/null || :
	end_recipe
}

# works: the page's command for a client brings the answer of the server on the
# other host.
works()
{
	run inside sh -c "${clients[0]} -q -sS --max-time 20"
	echo "$output"
	[[ $output == *"TLSv1"* ]]
}

is_active()
{
	inside systemctl is-active -q "$1"
}

# --- README.md, doc/systemd.md ---

@test "README: with systemd, both ways" {
	start_https
	write_blocks README "With systemd"
	# All is installed already, and nobody is root's deputy.
	sed -i '/^make /d; s/^sudo //' "$blocks"/*
	run inside sh -eu -c "$(head -n -1 "$blocks/01")"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *TLSv1* ]]
	wait_until sessions_are 1
	run inside sh -eu -c "$(tail -n 1 "$blocks/01")"
	[[ $output == *"client=127.0.0.1:"*" target=example.org:443 "* ]]
	inside sh -eu -c "$(cat "$blocks/02")"
	run ! is_active socks5-handler.socket
	is_active socks5-handler-wait.socket
	run here -x socks5h://127.0.0.1:1080 "$url"
	[ "$output" = "far away" ]
}

@test "systemd: a process for each connection, with a browser's options" {
	start_https
	recipe systemd "Browsers and people"
	recipe systemd "A process for each connection"
	works
	start_target expect:bye eof
	open_tunnel tcp:127.0.0.1:1080 text:bye shut closed
	is_active 'socks5-handler@*.service'
	close_tunnel
	expect_record SOCKS5_TARGET=example.org:443
	expect_record SOCKS5_REPLY=0 "SOCKS5_TARGET=127.0.0.1:$port"
	records_hold
}

@test "systemd: the listening service" {
	inside systemctl enable -q --now socks5-handler.socket
	write_blocks systemd "The listening service"
	inside sh -eu -c "$(cat "$blocks/01")"
	run ! inside systemctl is-enabled socks5-handler.socket
	run here -x socks5h://127.0.0.1:1080 "$url"
	[ "$output" = "far away" ]
	run inside sh -eu -c "$(cat "$blocks/02")"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"Status: \""*" clients, 0 refused, "* ]]
	configure 'lifetime soon'
	run ! inside sh -eu -c "$(tail -n 1 "$blocks/02")"
	run here -x socks5h://127.0.0.1:1080 "$url"
	[ "$output" = "far away" ]
}

@test "systemd: a Unix socket" {
	start_https
	recipe systemd "A Unix socket"
	[ "$(inside stat -c '%G %a' /run/socks5-handler/socket)" = "staff 660" ]
	works
	wait_until sessions_are 1
	journal -o cat "MESSAGE_ID=$message_id" | grep '^client=unix:uid=0,pid='
}

# --- doc/inetd.md ---

# reaches: the other host, through port 1080, by either way of starting it
reaches()
{
	wait_until in_network_listens
	run here -x socks5h://127.0.0.1:1080 "$url"
	echo "$output"
	[ "$output" = "far away" ]
	expect_record SOCKS5_REPLY=0 SOCKS5_TARGET=192.0.2.2:8080
}

in_network_listens()
{
	grep -q ':0438 0*:0000 0A ' /proc/net/tcp
}

# run_inside COMMAND...: until end_server. Not in its process ids, for which
# nsenter would stay between us.
run_inside()
{
	nsenter -t "$PID1" -m -n -- "$@" >"$BATS_TEST_TMPDIR/server.log" 2>&1 3>&- &
	server=$!
	started+=("$server")
}

nobody_listens()
{
	! in_network_listens
}

# With what it has started: a listening service would wait for more.
end_server()
{
	pkill -P "$server" || :
	kill "$server"
	wait_until nobody_listens
}

@test "inetd: xinetd" {
	write_unit xinetd.service <<-END
		[Service]
		ExecStart=/usr/sbin/xinetd -dontfork
		ExecReload=kill -HUP \$MAINPID
	END
	inside systemctl daemon-reload
	inside systemctl start xinetd
	recipe inetd xinetd
	reaches
	records_hold
	inside systemctl stop xinetd
	inside sed -i '/disable/s/no/yes/' /etc/xinetd.d/socks5-handler-wait
}

@test "inetd: inetd, openbsd's and inetutils', both lines" {
	recipe inetd inetd
	for block in "$blocks"/*; do
		tail -n +2 "$block" | inside tee /etc/inetd.conf
		for inetd in 'inetd -i' 'inetutils-inetd -d'; do
			# shellcheck disable=SC2086 # two words
			run_inside $inetd
			reaches
			end_server
		done
	done
	records_hold
}

# serves BLOCK: what is run to serve
serves()
{
	run_inside sh -c "exec $(cat "$1")"
	reaches
	end_server
}

@test "inetd: tcpserver, tcpsvd" {
	write_blocks inetd "tcpserver, tcpsvd"
	for block in "$blocks"/*; do
		serves "$block"
		grep -c '^socks5-handler: client=127.0.0.1:' \
			"$BATS_TEST_TMPDIR/server.log"
	done
}

@test "inetd: socat, ncat" {
	need socat ncat
	write_blocks inetd "socat, ncat"
	for block in "$blocks"/*; do
		serves "$block"
	done
	records_hold
}

# --- doc/ssh.md ---

# use_ssh KEY [FILE]: root in the sandbox may log in at gateway.example.org by
# this key, and has this in ~/.ssh/config, too.
use_ssh()
{
	local dir=$BATS_FILE_TMPDIR

	inside mkdir -p /root/.ssh
	cp "$dir/$1" "$dir/known_hosts" "$STATE"
	inside install -m 600 "/sandbox/$1" /root/.ssh/id_ed25519
	inside install /sandbox/known_hosts /root/.ssh/known_hosts
	{
		[ $# -eq 1 ] || cat "$2"
		echo 'Host gateway.example.org'
		printf '\t%s\n' 'HostName 127.0.0.1' 'HostKeyAlias gateway' \
			"$(grep -w Port "$dir/ssh_config")" 'BatchMode yes'
	} | inside tee /root/.ssh/config
}

@test "ssh: a port here that comes out on another host" {
	use_ssh free
	write_blocks ssh "A port here that comes out on another host"
	serves "$blocks/01"
}

@test "ssh: as a service of this user" {
	use_ssh free
	inside mkdir -p /run/user/0
	write_unit user-manager.service <<-END
		[Service]
		Environment=XDG_RUNTIME_DIR=/run/user/0 HOME=/root
		Environment=PATH=$PATH
		Delegate=yes
		Type=notify
		ExecStart=/lib/systemd/systemd --user
	END
	inside systemctl daemon-reload
	inside systemctl start user-manager
	write_blocks ssh "As a service of this user"
	for i in 01 02; do
		path=$(sed -n '1s|^# ~|/root|p' "$blocks/$i")
		inside mkdir -p "${path%/*}"
		tail -n +2 "$blocks/$i" | inside tee "$path"
	done
	inside env XDG_RUNTIME_DIR=/run/user/0 HOME=/root \
		sh -eu -c "$(cat "$blocks/03")"
	reaches
	records_hold
	inside systemctl stop user-manager
}

logins()
{
	grep -c '^Accepted publickey' "$BATS_FILE_TMPDIR/sshd.log"
}

@test "ssh: one login for all of them" {
	write_blocks ssh "One login for all of them"
	use_ssh free "$blocks/01"
	write_blocks ssh "A port here that comes out on another host"
	run_inside sh -c "exec $(cat "$blocks/01")"
	before=$(logins)
	for _ in 1 2 3; do
		reaches
	done
	[ "$(logins)" -eq $((before + 1)) ]
	end_server
}

@test "ssh: a key that may do this and nothing else" {
	write_blocks ssh "A key that may do this and nothing else"
	sed "s|ssh-ed25519 .*|$(cat "$BATS_FILE_TMPDIR/forced.pub")|" \
		"$blocks/01" >"$BATS_FILE_TMPDIR/authorized_keys"
	use_ssh forced
	write_blocks ssh "A port here that comes out on another host"
	serves "$blocks/01"
	run inside ssh gateway.example.org cat /etc/passwd </dev/null
	[[ $output != *root:* ]]
}

# --- doc/access.md ---

@test "access: private networks, denied by rules" {
	configure 'rules /etc/socks5-handler/rules' \
		'users /etc/socks5-handler/users'
	write_users alice:secret
	recipe access "Without rules"
	inside systemctl enable -q --now socks5-handler.socket
	run here -x socks5h://alice:secret@127.0.0.1:1080 "$url"
	[ "$output" = "far away" ]
	expect_record SOCKS5_REPLY=0
	for host in 10.1.2.3 172.20.0.1 192.168.1.1 '[fd12::1]' 192.0.2.1; do
		run ! here -g -x socks5h://alice:secret@127.0.0.1:1080 \
			"http://$host/"
		expect_record SOCKS5_REPLY=2 "SOCKS5_TARGET=$host:80"
	done
	records_hold
}

@test "access: a password for those who aren't on this machine" {
	configure 'rules /etc/socks5-handler/rules' \
		'users /etc/socks5-handler/users'
	write_users alice:secret
	recipe access Passwords
	drop_in socks5-handler.socket ListenStream= ListenStream=1080
	run here -x socks5h://127.0.0.1:1080 "$url"
	[ "$output" = "far away" ]
	expect_record SOCKS5_REPLY=0
	run ! get "$url"
	expect_record SOCKS5_END=no-method
	run get "$url" -U alice:secret
	[ "$output" = "far away" ]
	expect_record SOCKS5_REPLY=0 SOCKS5_USER=alice
	records_hold
}

@test "access: rules, --check and --explain" {
	# As users and source of the page have them.
	write_users alice:secret bob:secret
	ip address add 198.51.100.7/32 dev here
	run recipe access Rules
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"/etc/socks5-handler/rules:4"* ]]
	[[ $output == *"192.0.2.2"*"198.51.100.7"* ]]
}

# --- doc/record.md ---

# names: of the fields of the records on standard input
names()
{
	grep -oE '\b[a-z_]+=' | tr -d '\n'
}

@test "record: the sample is what is recorded, and it is found" {
	start_https
	write_users alice:secret
	configure 'users /etc/socks5-handler/users' 'lifetime 1'
	inside systemctl enable -q --now socks5-handler.socket
	run here -x socks5h://alice:secret@127.0.0.1:1080 \
		--cacert "$STATE/cert.pem" https://example.org/
	[[ $output == *TLSv1* ]]
	expect_record SOCKS5_REPLY=0
	write_blocks record "The record"
	wait_until sessions_are 1
	journal -o cat "MESSAGE_ID=$message_id" | tee "$BATS_TEST_TMPDIR/record"
	[ "$(names <"$BATS_TEST_TMPDIR/record")" = "$(names <"$blocks/01")" ]

	run ! here -x socks5h://alice:secret@127.0.0.1:1080 http://192.0.2.2:9/
	expect_record SOCKS5_REPLY=5
	start_there busybox nc -l -p 99 -e sleep 10
	run ! here -x socks5h://alice:secret@127.0.0.1:1080 http://192.0.2.2:99/
	expect_record SOCKS5_END=lifetime
	records_hold
	write_blocks record "To find them"
	mapfile -t commands <"$blocks/01"
	[ ${#commands[@]} -eq 3 ]
	for i in 0 1 2; do
		run inside sh -c "${commands[i]} --no-pager -q"
		echo "$output"
		[ "$(grep -cE 'SOCKS5_TARGET|client=' <<<"$output")" -ge 1 ]
	done
	[[ $(inside sh -c "${commands[0]} -q --no-pager -o cat") == \
		*"target=192.0.2.2:9 "*" reply=5 "* ]]
}
