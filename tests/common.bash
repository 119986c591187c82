# SPDX-License-Identifier: ISC
# For bats: what every suite needs. What this machine has; waiting; programs that
# listen, and where; the handlers that serve, and their records.
#
# What runs is $PROGRAM, a copy of the handler in this file's own directory, so
# that handlers() knows ours from those of the suites that run beside.

bats_require_minimum_version 1.5.0

# What start_listening began.
superserver_pids=()

# --- what this machine has -------------------------------------------------

# A test that can't be made here is left out, and says why; where the CI runs,
# nothing may be left out. In setup_file(), which can't skip, it is remembered
# in $LEFT_OUT, for setup() to call skip_if_left_out.
unavailable()
{
	if [ -n "${CI:-}" ]; then
		echo "$1" >&2
		return 1
	fi
	[ -z "${BATS_TEST_NAME:-}" ] || skip "$1"
	export LEFT_OUT=$1
}

skip_if_left_out()
{
	[ -z "${LEFT_OUT:-}" ] || skip "$LEFT_OUT"
}

# need TOOL...: commands, or files where there is a slash in the name.
need()
{
	local tool

	for tool; do
		[ -n "$(command -v "$tool")" ] ||
			unavailable "${tool##*/} is missing" || return
	done
}

need_root()
{
	[ "$(id -u)" -eq 0 ] || unavailable "only root can $1"
}

# need_namespaces: to be root over a network and mounts of one's own, which a
# container may forbid.
need_namespaces()
{
	need unshare
	unshare -rnm true 2>/dev/null ||
		unavailable "no namespaces can be made here"
}

# --- waiting ---------------------------------------------------------------

# nap SECONDS: sleep(1), where tests/run has made $NEVER without a process:
# nobody ever writes to it.
nap()
{
	if [ -p "${NEVER:-}" ]; then
		read -rt "$1" <>"$NEVER" || :
	else
		sleep "$1"
	fi
}

# wait_until COMMAND...: until it succeeds; fails after $patience seconds. bats
# doesn't trace the functions that it calls, which would take most of the time.
wait_until()
{
	local - deadline=$((SECONDS + ${patience:-15}))

	set +T
	until "$@"; do
		if [ "$SECONDS" -gt "$deadline" ]; then
			echo "waited in vain for: $*" >&2
			return 1
		fi
		nap 0.02
	done
}

is_gone()
{
	! kill -0 "$1" 2>/dev/null
}

# is_dead PID: it may still be there, for its parent to ask how it ended.
is_dead()
{
	! grep -qs '^State:.[^Z]' "/proc/$1/status"
}

# end_process PID: a child of this shell; bounded, and reaped.
end_process()
{
	kill "$1" 2>/dev/null || :
	patience=5 wait_until is_gone "$1" 2>/dev/null ||
		kill -KILL "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || :
}

# --- who listens, as the kernel says: to try a port would start a handler --

# port_lines PID PORT: the sockets on a local port, whatever their state, in
# the network that PID sees.
port_lines()
{
	local hex

	printf -v hex '%04X' "$2"
	grep -shE "^ *[0-9]+: [0-9A-F]+:$hex " "/proc/$1/net/tcp" \
		"/proc/$1/net/tcp6"
}

# free_port: one that nobody uses, on 127.0.0.1 and ::1 alike. The kernel
# gives ports from 32768 on to those who don't care, and so never one of these.
free_port()
{
	local port

	while :; do
		port=$((10000 + (RANDOM << 15 | RANDOM) % 20000))
		port_lines self $port >/dev/null || break
	done
	echo $port
}

# find_listeners PID PLACE: the sockets that listen on a port, a path or an
# @abstract name there, by their inodes in $inodes. Without a process, for it
# is asked again and again.
find_listeners()
{
	local hex line table
	local -a lines fields

	inodes=()
	case $2 in
	/* | @*)
		mapfile -t lines <"/proc/$1/net/unix"
		for line in "${lines[@]}"; do
			[[ $line =~ ^[^\ ]+\ [^\ ]+\ [^\ ]+\ 00010000\ .*\ ([0-9]+)\ ([^\ ]+)$ &&
				${BASH_REMATCH[2]} = "$2" ]] || continue
			inodes+=("${BASH_REMATCH[1]}")
		done
		;;
	*)
		printf -v hex '%04X' "$2"
		for table in "/proc/$1/net/tcp" "/proc/$1/net/tcp6"; do
			[ -e "$table" ] || continue
			mapfile -t lines <"$table"
			for line in "${lines[@]}"; do
				[[ $line =~ ^\ *[0-9]+:\ [0-9A-F]+:$hex\ [^\ ]+\ 0A\  ]] ||
					continue
				read -ra fields <<<"$line"
				inodes+=("${fields[9]}")
			done
		done
		;;
	esac
}

# listens PID PLACE: this very process does. Another one may have been quicker
# to take a port.
listens()
{
	local inode open
	local -a inodes

	find_listeners "$1" "$2" 2>/dev/null || :
	[ ${#inodes[@]} -gt 0 ] || return
	open=$(readlink "/proc/$1/fd"/* 2>/dev/null || :)
	for inode in "${inodes[@]}"; do
		[[ $open != *"socket:[$inode]"* ]] || return 0
	done
	return 1
}

listens_or_is_gone()
{
	listens "$@" || is_gone "$1"
}

# start_listening PLACE COMMAND...: in the background, until it listens; its
# output is in $SERVER_LOG, its process in $server. It inherits a descriptor
# that is no business of a handler's.
start_listening()
{
	local place=$1

	shift
	"$@" </dev/null >"$SERVER_LOG" 2>&1 3>&- 7<"${SERVER_LOG%/*}" &
	server=$!
	if patience=5 wait_until listens_or_is_gone $server "$place" &&
		listens $server "$place"; then
		superserver_pids+=("$server")
		return
	fi
	end_process $server
	return 1
}

# Ends what start_listening began, and what that may have left running.
stop_superservers()
{
	local pid

	for pid in "${superserver_pids[@]}"; do
		end_process "$pid"
	done
	superserver_pids=()
	[ -n "${PROGRAM:-}" ] || return 0
	for pid in $(programs); do
		kill "$pid" 2>/dev/null || :
	done
	wait_until no_programs
}

# --- the handlers that run -------------------------------------------------

copy_program()
{
	PROGRAM=$BATS_FILE_TMPDIR/socks5-handler
	# shellcheck disable=SC2153 # tests/run sets HANDLER
	[ -e "$PROGRAM" ] || cp "$HANDLER" "$PROGRAM"
}

# programs: the processes that run $PROGRAM. Only for subshells: bats would
# trace each step of the loop.
programs()
{
	local exe

	trap - DEBUG
	for exe in /proc/[0-9]*/exe; do
		if [ "$exe" -ef "${PROGRAM:-/nothing}" ]; then
			exe=${exe%/exe}
			echo "${exe#/proc/}"
		fi
	done
}

no_programs()
{
	[ -z "$(programs)" ]
}

# inode PID FD: of what a process has there, for comparison. /proc/PID/fd would
# say more, but not to an ordinary user: the program isn't dumpable.
inode()
{
	sed -n 's/^ino:[[:blank:]]*//p' "/proc/$1/fdinfo/$2" 2>/dev/null
}

# programs_that ROLE: of these processes, in a line each, those that are a
# "service", which has a listening socket; a "spare", which has a SOCK_SEQPACKET
# one on 0, as nothing else does; or "serve" a client.
programs_that()
{
	local -a dirs

	mapfile -t dirs < <(programs)
	dirs=("${dirs[@]/#//proc/}")
	[ ${#dirs[@]} -eq 0 ] || grep -rs '^ino:' "${dirs[@]/%//fdinfo}" |
		sed 's|[/:]| |g' | awk -v wanted="$1" '
		$4 == "0A" { listens[$10] }
		$4 == "00010000" { listens[$7] }
		$5 == "0005" { channel[$7] }
		$1 != "proc" { next }
		!($2 in role) { role[$2] = "serve" }
		$4 == 0 && $6 in channel { role[$2] = "spare" }
		$6 in listens { role[$2] = "service" }
		END { for (pid in role) if (role[pid] == wanted) print pid }
		' /proc/net/unix /proc/net/tcp /proc/net/tcp6 /dev/stdin
}

# handlers: those that serve a client.
handlers()
{
	programs_that serve
}

no_handlers()
{
	[ -z "$(handlers)" ]
}

# handler_runs: exactly one does, in $handler.
handler_runs()
{
	handler=$(handlers)
	[ -n "$handler" ] && [[ $handler != *$'\n'* ]]
}

records()
{
	grep '^socks5-handler: client=' "$SERVER_LOG"
}

has_records()
{
	[ "$(grep -c '^socks5-handler: client=' "$SERVER_LOG")" -eq "$1" ]
}

# wait_for_records N: exactly so many, and no handler that might still write
# one. Leaves the last of them in $record.
wait_for_records()
{
	wait_until no_handlers
	if ! patience=5 wait_until has_records "$1"; then
		cat "$SERVER_LOG" >&2
		return 1
	fi
	record=$(records || :)
	record=${record##*$'\n'}
	record=${record#socks5-handler: }
}
