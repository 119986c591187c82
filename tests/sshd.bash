# SPDX-License-Identifier: ISC
# For bats: a private sshd, with keys, port and accounts of its own.
#
#	start_sshd			in setup_file()
#	ssh -F "$BATS_FILE_TMPDIR/ssh_config" gateway COMMAND
#	stop_sshd			in teardown_file()
#
# The host "gateway" takes any command, "forced" has the handler for a forced
# command. After common.bash.

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
	local variable program
	local libexec=$SUPERSERVERS/openssh-server/usr/lib/openssh

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
	# From 9.8 on it is in two programs, from 10.0 on in three.
	for program in session auth; do
		[ ! -x "$libexec/sshd-$program" ] ||
			echo "Sshd${program^}Path $libexec/sshd-$program"
	done
	# Whoever logs in finds the handler by its name.
	printf 'SetEnv "PATH=%s:%s"' "$dir" "$PATH"
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

stop_sshd()
{
	if [ -s "$BATS_FILE_TMPDIR/sshd.pid" ]; then
		end_process "$(cat "$BATS_FILE_TMPDIR/sshd.pid")"
	fi
}
