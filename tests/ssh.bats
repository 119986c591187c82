#!/usr/bin/env bats
# The handler at the far end of ssh: three pipes, and a client that is known
# only by SSH_CONNECTION. The sshd is private: own keys, own port, own accounts.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load handler

setup_file()
{
	start_web
	start_sshd
}

teardown_file()
{
	stop_web
	if [ -s "$BATS_FILE_TMPDIR/sshd.pid" ]; then
		end_process "$(cat "$BATS_FILE_TMPDIR/sshd.pid")"
	fi
}

setup()
{
	skip_if_left_out
	copy_program
	ssh=(ssh -F "$BATS_FILE_TMPDIR/ssh_config")
}

teardown()
{
	handler_teardown
	stop_superservers
	[ -z "${LEFT_OUT:-}" ] || return 0
	# What served them ends when it has seen that they are gone.
	wait_until no_sessions
}

# --- the far end ---

# make_keys: the host's, one that may do anything, one with a forced command.
make_keys()
{
	local key

	for key in host free forced; do
		ssh-keygen -q -t ed25519 -N '' -f "$dir/$key"
	done
	{
		cat "$dir/free.pub"
		printf 'restrict,command="%s --log=stderr" ' "$PROGRAM"
		cat "$dir/forced.pub"
	} >"$dir/authorized_keys"
}

# sshd_config: its own port apart.
sshd_config()
{
	local variable

	cat <<-END
		HostKey $dir/host
		AuthorizedKeysFile $dir/authorized_keys
		PidFile none
		UsePAM no
		StrictModes no
		PermitRootLogin yes
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		UseDNS no
		PrintMotd no
		PrintLastLog no
		MaxStartups 100
	END
	printf SetEnv
	for variable in ASAN_OPTIONS UBSAN_OPTIONS SOCKS5_CI_RUN; do
		printf ' "%s=%s"' "$variable" "${!variable:-}"
	done
	echo
}

# ssh_config PORT
ssh_config()
{
	cat <<-END
		Host gateway
			IdentityFile $dir/free
		Host forced
			IdentityFile $dir/forced
		Host *
			HostName 127.0.0.1
			Port $1
			User $(id -un)
			IdentitiesOnly yes
			IdentityAgent none
			HostKeyAlias gateway
			UserKnownHostsFile $dir/known_hosts
			GlobalKnownHostsFile /dev/null
			StrictHostKeyChecking yes
			BatchMode yes
			LogLevel ERROR
	END
}

# As root, sshd wants an account "sshd" and a directory /run/sshd, which the
# installation of its package would make; and whoever logs in gets a shell that
# reads no files of this machine's root. All that is seen by sshd alone.
make_accounts()
{
	[ "$(id -u)" -eq 0 ] || return 0
	cat >"$dir/passwd" <<-END
		root:x:0:0:root:$dir:/bin/sh
		sshd:x:65533:65534:sshd:/run/sshd:/usr/sbin/nologin
	END
	echo 'root:*:19000:0:99999:7:::' >"$dir/shadow"
	# shellcheck disable=SC2016 # for the inner shell
	in_its_sight=(unshare -m sh -c 'mount -t tmpfs -o mode=755 tmpfs /run &&
		mkdir /run/sshd && mount --bind "$0/passwd" /etc/passwd &&
		mount --bind "$0/shadow" /etc/shadow && exec "$@"' "$dir")
}

# start_sshd: for the hosts "gateway" and "forced" of ssh_config.
start_sshd()
{
	local sshd=$SUPERSERVERS/openssh-server/usr/sbin/sshd
	local dir=$BATS_FILE_TMPDIR tries port
	local -a in_its_sight=()

	need "$sshd" ssh ssh-keygen systemd-socket-activate pgrep
	if [ "$(id -u)" -ne 0 ]; then
		case $(getent passwd "$(id -u)") in
		*/nologin | */false) unavailable "this account can't log in" ;;
		esac
	fi
	[ -z "${LEFT_OUT:-}" ] || return 0
	copy_program
	make_keys
	make_accounts
	echo "gateway $(cut -d ' ' -f 1-2 "$dir/host.pub")" >"$dir/known_hosts"
	sshd_config >"$dir/sshd_config"
	SERVER_LOG=$dir/sshd.log
	for ((tries = 0; tries < 5; tries++)); do
		port=$(free_port)
		ssh_config "$port" >"$dir/ssh_config"
		if start_listening "$port" "${in_its_sight[@]}" "$sshd" -D -e \
			-f "$dir/sshd_config" -o "ListenAddress=127.0.0.1:$port"; then
			echo "$server" >"$dir/sshd.pid"
			return
		fi
	done
	cat "$SERVER_LOG" >&2
	return 1
}

no_sessions()
{
	! pgrep -P "$(cat "$BATS_FILE_TMPDIR/sshd.pid")" >/dev/null
}

# --- the near end ---

# listen_with COMMAND...: on 127.0.0.1:$PORT, one for each client, who is on
# its descriptors 0 and 1. What the far end writes to its 2 is in $SERVER_LOG.
listen_with()
{
	local tries

	SERVER_LOG=$BATS_TEST_TMPDIR/log
	for ((tries = 0; tries < 5; tries++)); do
		PORT=$(free_port)
		start_listening "$PORT" env SYSTEMD_LOG_LEVEL=warning \
			systemd-socket-activate --accept --inetd \
			-l "127.0.0.1:$PORT" "$@" && return
	done
	cat "$SERVER_LOG" >&2
	return 1
}

@test "ssh HOST socks5-handler, for each client" {
	listen_with "${ssh[@]}" -T gateway "$PROGRAM" --log=stderr
	works_on_port
	recorded "pipe:$tcp_client"
}

@test "the record has the address that ssh came from" {
	listen_with "${ssh[@]}" -T gateway \
		"echo \$SSH_CONNECTION >&2; exec $PROGRAM --log=stderr"
	fetch "$BATS_TEST_TMPDIR/file" -x "socks5h://127.0.0.1:$PORT" \
		"http://localhost:$WEB_PORT/file"
	came_whole "$BATS_TEST_TMPDIR/file"
	wait_for_records 1
	read -r address number _ <"$SERVER_LOG"
	has client "pipe:$address:$number"
}

@test "behind socat" {
	need socat
	SERVER_LOG=$BATS_TEST_TMPDIR/log
	for tries in 1 2 3 4 5; do
		PORT=$(free_port)
		start_listening "$PORT" socat \
			"TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork,backlog=100" \
			"EXEC:${ssh[*]} -T gateway $PROGRAM --log=stderr" && break
		[ "$tries" -lt 5 ]
	done
	# No records: socat ends ssh, whose standard error they come by, as soon
	# as a client has left.
	works_on_port
}

@test "each side may finish before the other answers" {
	listen_with "${ssh[@]}" -T gateway "$PROGRAM" --log=stderr
	start_target expect:ping eof text:pong
	"$HOSTS/client" "tcp:127.0.0.1:$PORT" "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 text:ping shut expect:pong eof
	target_held
	wait_for_records 1
	has end client-eof
}

@test "a key with a forced command is good for nothing else" {
	listen_with "${ssh[@]}" -T forced cat /etc/passwd
	downloads "socks5h://127.0.0.1:$PORT"
	upload "socks5h://127.0.0.1:$PORT"
	wait_for_records 8
	[[ $(field client) =~ ^pipe:$tcp_client$ ]]
}

master_is_up()
{
	"${ssh[@]}" -O check gateway 2>/dev/null
}

@test "many clients over one connection: ControlMaster" {
	ssh+=(-S "$BATS_TEST_TMPDIR/master")
	"${ssh[@]}" -M -N -T gateway >"$BATS_TEST_TMPDIR/master.log" 2>&1 3>&- &
	superserver_pids+=($!)
	wait_until master_is_up
	listen_with "${ssh[@]}" -T gateway "$PROGRAM" --log=stderr
	works_on_port
	recorded "pipe:$tcp_client"
	# All of them came from one port.
	[ "$(records | cut -d ' ' -f 2 | sort -u | wc -l)" -eq 1 ]
	"${ssh[@]}" -O exit gateway 2>&1
}

@test "when ssh is killed, the handler ends at once, and both sides notice" {
	listen_with "${ssh[@]}" -T gateway "$PROGRAM" --log=none
	start_target text:hello closed
	open_tunnel "tcp:127.0.0.1:$PORT" expect:hello closed
	wait_until handler_runs
	kill -KILL "$(pgrep -P "$server")"
	patience=5 wait_until no_handlers
	close_tunnel
}

@test "when ssh is killed in the handshake, the handler ends at once" {
	listen_with "${ssh[@]}" -T gateway "$PROGRAM" --log=none
	"$HOSTS/client" "tcp:127.0.0.1:$PORT" "${greet[@]}" \
		"touch:$BATS_TEST_TMPDIR/greeted" closed 3>&- &
	client=$!
	wait_until [ -e "$BATS_TEST_TMPDIR/greeted" ]
	wait_until handler_runs
	kill -KILL "$(pgrep -P "$server")"
	patience=5 wait_until no_handlers
	wait "$client"
}

@test "a terminal (ssh -tt) is a mistake: one sentence, and exit 64" {
	run "${ssh[@]}" -tt gateway "$PROGRAM" </dev/null
	output=${output//$'\r'/}
	echo "$output"
	# ssh's own failure, where sshd may make no terminal for this account.
	[ "$status" -ne 255 ] || unavailable "no terminal to be had by ssh"
	[ "$status" -eq 64 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "socks5-handler: descriptor 0 is a terminal: "*"leave out -t"* ]]
}
