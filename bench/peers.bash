# SPDX-License-Identifier: ISC
# For bench/run: the candidates, each in a cgroup of its own where there may be
# one, and on a port of its own.
#
#	start_candidates NAME...	those that start are in $candidates
#	load NAME TEST...		measures one
#	stop_candidates
#
# Ports are below those that the kernel gives away in this network.

# Functions that the tests have, for bats: free_port, superserver_command,
# make_keys, sshd_config and others.
bats_require_minimum_version()
{
	:
}
load()
{
	# shellcheck disable=SC1090,SC2317 # as bats calls it
	source "tests/$1.bash"
}
# shellcheck source=tests/superservers.bash
source tests/superservers.bash
# shellcheck source=tests/sshd.bash
source tests/sshd.bash

# Where these keep their files; $work is the run's own.
BATS_TEST_TMPDIR=$work
BATS_FILE_TMPDIR=$work
SUPERSERVERS=$TOP/build/bench/unpacked

handler_options=(--log=none --lifetime=0)
next_port=2000
# By name: the port, the processes, and what -g or -P tells of them.
declare -A port_of pids_of measured_by

# start_in GROUP COMMAND...: in the background, with its process in $started.
# On one core, if $pinned says which.
start_in()
{
	local group=$1

	shift
	[ -z "$pinned" ] || set -- taskset -c "$pinned" "$@"
	(
		[ -z "$cgroups" ] || echo "$BASHPID" >"$cgroups/$group/cgroup.procs"
		exec "$@"
	) </dev/null >>"$work/$group.log" 2>&1 &
	started=$!
	pids_of[$group]+=" $started"
}

# is_listening PORT: somebody does.
is_listening()
{
	local -a inodes

	find_listeners self "$1"
	[ ${#inodes[@]} -gt 0 ]
}

is_listening_or_gone()
{
	is_listening "$1" || is_gone "$2"
}

# dante_config PORT
dante_config()
{
	cat <<-END
		errorlog: /dev/null
		logoutput: /dev/null
		internal: 127.0.0.1 port = $1
		external: 127.0.0.1
		clientmethod: none
		socksmethod: none
		user.privileged: $(id -un)
		user.unprivileged: $(id -un)
		client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
		socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 command: connect udpassociate udpreply }
	END
}

# begin_ssh PORT: the server first, and a client of it that listens there.
begin_ssh()
{
	local dir=$work/ssh sshd=$SUPERSERVERS/openssh-server/usr/sbin/sshd
	local sshd_port=$((next_port++))
	local -a in_its_sight=()

	rm -rf "$dir"
	mkdir "$dir"
	make_keys
	make_accounts
	echo "gateway $(cut -d ' ' -f 1-2 "$dir/host.pub")" >"$dir/known_hosts"
	sshd_config >"$dir/sshd_config"
	ssh_config "$sshd_port" >"$dir/ssh_config"
	start_in ssh ${in_its_sight[@]+"${in_its_sight[@]}"} "$sshd" -D -e \
		-f "$dir/sshd_config" -o "ListenAddress=127.0.0.1:$sshd_port"
	patience=10 wait_until is_listening_or_gone "$sshd_port" "$started"
	is_listening "$sshd_port" || return
	start_in ssh ssh -F "$dir/ssh_config" -N -o ExitOnForwardFailure=yes \
		-D "127.0.0.1:$1" gateway
}

# write_rules FILE N: so many lines, of which the last allows what is asked for,
# and one half of the others is about somebody else.
write_rules()
{
	awk -v count="$2" 'BEGIN {
		for (i = 1; i < count; i++) {
			if (i % 4 == 1)
				printf "allow from 198.51.100.0/24 to " \
				    "*.site%d.example port 443\n", i
			else if (i % 4 == 2)
				printf "deny to 10.%d.%d.0/24\n", \
				    int(i / 256), i % 256
			else if (i % 4 == 3)
				printf "allow user=user%d to any " \
				    "lifetime=600\n", i
			else
				printf "deny to site%d.example, " \
				    "*.site%d.example port 80,443\n", i, i
		}
		print "allow to any, internal"
	}' >"$1"
}

# begin NAME PORT: as $started.
begin()
{
	local handler=$TOP/build/$BUILD/socks5-handler
	local bare=$TOP/build/$BUILD/bench/accept-exec
	local PORT=$2 PROGRAM
	local -a command

	case $1 in
	*-static) handler=$static ;;
	*-readwrite) handler+=-readwrite ;;
	esac
	PROGRAM=$handler
	case $1 in
	*-rules-*)
		write_rules "$work/$1.rules" "${1##*-}"
		command=("$bare")
		[[ $1 != wait-* ]] || command+=(-w)
		command+=("$2" "$handler" "${handler_options[@]}"
			--rules="$work/$1.rules")
		;;
	exec | exec-static | exec-readwrite)
		command=("$bare" "$2" "$handler" "${handler_options[@]}")
		;;
	wait | wait-static)
		command=("$bare" -w "$2" "$handler" "${handler_options[@]}"
			--max-clients=0)
		;;
	tcpserver)
		command=("$SUPERSERVERS/ucspi-tcp/usr/bin/tcpserver" -D
			-c 20000 -b 1000 -H -R -l localhost 127.0.0.1 "$2"
			"$handler" "${handler_options[@]}")
		;;
	xinetd)
		SERVER_LOG=$work/xinetd.log
		superserver_command xinetd "127.0.0.1:$2" "${handler_options[@]}"
		;;
	microsocks)
		command=(microsocks -i 127.0.0.1 -p "$2")
		;;
	dante)
		dante_config "$2" >"$work/danted.conf"
		command=("$SUPERSERVERS/dante-server/usr/sbin/danted"
			-f "$work/danted.conf" -p "$work/danted.pid")
		;;
	ssh)
		begin_ssh "$2"
		return
		;;
	esac
	start_in "$1" "${command[@]}"
}

# start_candidate NAME: until it listens; a sentence if it doesn't.
start_candidate()
{
	local port=$((next_port++))

	measured_by[$1]=
	[ "$1" != direct ] || return 0
	case $1 in
	*-static)
		[ -x "$static" ] || {
			note "$1: build/static/socks5-handler isn't there; \`make static\` makes it."
			return 1
		}
		;;
	esac
	: >"$work/$1.log"
	[ -z "$cgroups" ] || mkdir "$cgroups/$1" || return
	begin "$1" "$port" || started=
	if [ -z "$started" ] ||
		! patience=15 wait_until is_listening_or_gone "$port" "$started" ||
		! is_listening "$port"; then
		note "$1: it doesn't start here: $(tail -n 1 "$work/$1.log")"
		stop_candidate "$1"
		return 1
	fi
	port_of[$1]=$port
	if [ -n "$cgroups" ]; then
		measured_by[$1]="-g $cgroups/$1"
	elif [ "$1" != ssh ]; then
		# Of ssh's two, neither is the other's ancestor.
		measured_by[$1]="-P $started"
	fi
}

# start_candidates NAME...
start_candidates()
{
	local name

	candidates=()
	for name; do
		! start_candidate "$name" || candidates+=("$name")
	done
}

stop_candidate()
{
	local pid

	if [ -n "$cgroups" ] && [ -d "$cgroups/$1" ]; then
		if [ -e "$cgroups/$1/cgroup.kill" ]; then
			echo 1 >"$cgroups/$1/cgroup.kill"
		else
			while read -r pid; do
				kill -KILL "$pid" 2>/dev/null || :
			done <"$cgroups/$1/cgroup.procs"
		fi
		wait_until rmdir "$cgroups/$1" 2>/dev/null || :
	fi
	for pid in ${pids_of[$1]:-}; do
		end_process "$pid"
	done
	unset "pids_of[$1]" "port_of[$1]"
}

stop_candidates()
{
	local name

	for name in "${candidates[@]}"; do
		stop_candidate "$name"
	done
	candidates=()
}

# load NAME TEST...: its lines on standard output; what it complains of is a
# note.
load()
{
	local name=$1 complaint
	local -a command=("$TOP/build/$BUILD/bench/load")

	shift
	[ -z "$pinned" ] || command=(taskset -c "$pinned" "${command[@]}")
	[ "$name" = direct ] || command+=(-p "${port_of[$name]}")
	# Unquoted: an option and its argument, or nothing.
	# shellcheck disable=SC2086
	if ! "${command[@]}" ${measured_by[$name]} "$@" 2>"$work/load.err"; then
		complaint=$(tail -n 1 "$work/load.err")
		note "$name, $*: ${complaint#load: }"
		return 1
	fi
}
