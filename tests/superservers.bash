# SPDX-License-Identifier: ISC
# For bats: real super-servers, each on a port of its own, that start the
# handler ($HANDLER) for every connection.
#
#	start_superserver tcpserver --log=stderr
#	curl -x "socks5h://127.0.0.1:$PORT" ...
#	wait_for_records 1
#
# and stop_superservers in teardown(). Those that Debian doesn't let one
# install together are in $SUPERSERVERS, from fetch-superservers.sh.
#
# NAME-wait hands the listening socket over, once, to one that serves all. With
# LISTENING in the environment, whoever can do so does.
#
# What runs is $PROGRAM, a copy of the handler in this file's own directory, so
# that handlers() knows ours from those of the suites that run beside.

bats_require_minimum_version 1.5.0

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

# end_process PID: a child of this shell; bounded, and reaped.
end_process()
{
	kill "$1" 2>/dev/null || :
	patience=5 wait_until is_gone "$1" 2>/dev/null ||
		kill -KILL "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || :
}

# --- ports, as the kernel lists them: to try one would start a handler -----

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

# --- the super-servers -----------------------------------------------------

# superserver_command NAME ADDRESS HANDLERARG...: how NAME is told to listen
# there, in the array `command`; writes the configuration it reads.
superserver_command()
{
	local name=$1 address=$2 conf=$BATS_TEST_TMPDIR/$1.conf
	local from=$SUPERSERVERS variable wait=no nowait=nowait
	local -a environment=()

	shift 2
	[[ $name != *-wait ]] || wait=yes nowait=wait
	name=${name%-wait}
	case $name in
	systemd-socket-activate | systemd-socket-activate-inetd)
		# It hands on only what it is told to.
		for variable in ASAN_OPTIONS UBSAN_OPTIONS SOCKS5_CI_RUN; do
			[ -z "${!variable:-}" ] ||
				environment+=(-E "$variable")
		done
		command=(env SYSTEMD_LOG_LEVEL=warning systemd-socket-activate
			-l "$address" "${environment[@]}")
		[ $wait = yes ] || command+=(--accept)
		[ "$name" = systemd-socket-activate ] || command+=(--inetd)
		command+=("$PROGRAM" "$@")
		;;
	xinetd)
		cat >"$conf" <<-END
			service socks
			{
				type = UNLISTED
				socket_type = stream
				protocol = tcp
				bind = 127.0.0.1
				port = $PORT
				wait = $wait
				user = $(id -un)
				server = $PROGRAM
				server_args = $*
				flags = NOLIBWRAP
				instances = UNLIMITED
				per_source = UNLIMITED
				cps = 100000 1
			}
		END
		command=("$from/xinetd/usr/sbin/xinetd" -dontfork -f "$conf"
			-pidfile "$conf.pid" -filelog "$SERVER_LOG.xinetd")
		;;
	openbsd-inetd)
		inetd_conf $nowait "$@" >"$conf"
		command=("$from/openbsd-inetd/usr/sbin/inetd" -i -R 1000000
			"$conf")
		;;
	inetutils-inetd)
		inetd_conf $nowait "$@" >"$conf"
		command=("$from/inetutils-inetd/usr/sbin/inetutils-inetd" -d
			--pidfile="$conf.pid" -R 1000000 "$conf")
		;;
	tcpserver)
		command=("$from/ucspi-tcp/usr/bin/tcpserver" -D -c 100 -b 100
			-H -R -l localhost 127.0.0.1 "$PORT" "$PROGRAM" "$@")
		;;
	tcpsvd)
		command=("$from/ipsvd/usr/bin/tcpsvd" -E -c 100 -b 100
			-l localhost 127.0.0.1 "$PORT" "$PROGRAM" "$@")
		;;
	socat-socketpair | socat-nofork | socat-pipes)
		command=(socat
			"TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork,backlog=100"
			"EXEC:$PROGRAM $*")
		case $name in
		*-nofork) command[2]+=,nofork ;;
		*-pipes) command[2]+=,pipes ;;
		esac
		;;
	ncat)
		command=(ncat -lk 127.0.0.1 "$PORT" -e "$PROGRAM $*")
		;;
	*)
		echo "there is no super-server $name" >&2
		return 1
		;;
	esac
}

# inetd_conf wait|nowait HANDLERARG...
inetd_conf()
{
	echo "127.0.0.1:$PORT stream tcp $1 $(id -un) $PROGRAM" \
		"socks5-handler ${*:2}"
}

copy_program()
{
	PROGRAM=$BATS_FILE_TMPDIR/socks5-handler
	# shellcheck disable=SC2153 # tests/run sets HANDLER
	[ -e "$PROGRAM" ] || cp "$HANDLER" "$PROGRAM"
}

# start_superserver [--ipv6|--unix|--abstract] NAME [HANDLERARG...]: one that
# listens on 127.0.0.1:$PORT and starts the handler for each connection; with
# an option on [::1]:$PORT, or on $SOCKET, which only systemd-socket-activate
# can. Standard error of the handlers, where it isn't the client, is
# $SERVER_LOG.
start_superserver()
{
	local kind=--ipv4 address place name tries
	local -a command

	case $1 in
	--*)
		kind=$1
		shift
		;;
	esac
	name=$1
	case ${LISTENING:-}$name in
	yes*-wait) ;;
	yes*inetd* | yessystemd-socket-activate*) name+=-wait ;;
	esac
	shift
	copy_program
	SERVER_LOG=$BATS_TEST_TMPDIR/$name.log
	for ((tries = 0; tries < 5; tries++)); do
		PORT=$(free_port)
		case $kind in
		--ipv4) address=127.0.0.1:$PORT place=$PORT ;;
		--ipv6) address="[::1]:$PORT" place=$PORT ;;
		--unix) address=$BATS_TEST_TMPDIR/socks.sock place=$address ;;
		--abstract) address=@socks5.$$.$PORT place=$address ;;
		esac
		# shellcheck disable=SC2034 # for tests
		SOCKET=$address
		superserver_command "$name" "$address" "$@"
		need "${command[0]}"
		start_listening "$place" "${command[@]}" && return
	done
	echo "$name doesn't start: ${command[*]}" >&2
	cat "$SERVER_LOG" >&2
	return 1
}

# Ends them, and what they may have left running.
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

# --- a web server to be reached through them -------------------------------

# start_web [COMMAND...]: serves $WEB/file, 3 MiB of noise, on port $WEB_PORT
# of 127.0.0.1, and answers what is posted to /cgi-bin/sum with its checksum.
# COMMAND runs it, in a network of its own for example. For setup_file().
start_web()
{
	local tries

	need busybox curl
	[ -z "${LEFT_OUT:-}" ] || return 0
	export WEB=$BATS_FILE_TMPDIR/web WEB_PORT
	SERVER_LOG=$BATS_FILE_TMPDIR/web.log
	mkdir -p "$WEB/cgi-bin"
	head -c 3M /dev/urandom >"$WEB/file"
	cat >"$WEB/cgi-bin/sum" <<-\END
		#!/bin/sh
		sum=$(head -c "$CONTENT_LENGTH" | cksum)
		printf 'Content-Length: %d\r\n\r\n%s' ${#sum} "$sum"
	END
	chmod +x "$WEB/cgi-bin/sum"
	for ((tries = 0; tries < 5; tries++)); do
		WEB_PORT=$(free_port)
		if start_listening "$WEB_PORT" "$@" busybox httpd -f \
			-p "127.0.0.1:$WEB_PORT" -h "$WEB"; then
			echo "$server" >"$BATS_FILE_TMPDIR/web.pid"
			return
		fi
	done
	cat "$SERVER_LOG" >&2
	return 1
}

stop_web()
{
	if [ -s "$BATS_FILE_TMPDIR/web.pid" ]; then
		end_process "$(cat "$BATS_FILE_TMPDIR/web.pid")"
	fi
}

# fetch FILE CURLOPTION...: the web server's file. No variable and no .curlrc
# of this machine may make curl go without the proxy.
fetch()
{
	curl -q -sS --noproxy '' --max-time 30 -o "$1" "${@:2}"
}

# came_whole FILE...
came_whole()
{
	local sum
	local -a sums

	mapfile -t sums < <(cksum "$WEB/file" "$@")
	[ ${#sums[@]} -gt $# ] || return
	for sum in "${sums[@]}"; do
		[ "${sum%% /*}" = "${sums[0]%% /*}" ] || {
			printf '%s\n' "${sums[@]}"
			return 1
		}
	done
}

# --- the handlers they start -----------------------------------------------

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

# programs_that ROLE: of these processes, in a line each, those that are a
# "service", which has a listening socket; a "spare", which has a SOCK_SEQPACKET
# one on 0, as nothing else does; or "serve" a client.
programs_that()
{
	local -a dirs

	mapfile -t dirs < <(programs)
	dirs=("${dirs[@]/#//proc/}")
	[ ${#dirs[@]} -eq 0 ] || find "${dirs[@]/%//fd}" -mindepth 1 \
		-printf '%h %f %l\n' 2>/dev/null | awk -v wanted="$1" '
		$4 == "0A" { listens["socket:[" $10 "]"] }
		$4 == "00010000" { listens["socket:[" $7 "]"] }
		$5 == "0005" { channel["socket:[" $7 "]"] }
		!sub("^/proc/", "") || !sub("/fd$", "", $1) { next }
		!($1 in role) { role[$1] = "serve" }
		$2 == 0 && $3 in channel { role[$1] = "spare" }
		$3 in listens { role[$1] = "service" }
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

# --- what clients do; with the functions of handler.bash -------------------

# downloads PROXY: one, then several at once, by name and by address.
downloads()
{
	local i pid
	local -a pids=()

	fetch "$BATS_TEST_TMPDIR/0" -x "$1" "http://localhost:$WEB_PORT/file"
	for i in 1 2 3 4 5; do
		fetch "$BATS_TEST_TMPDIR/$i" -x "$1" \
			"http://localhost:$WEB_PORT/file" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	fetch "$BATS_TEST_TMPDIR/6" -x "${1/socks5h:/socks5:}" \
		"http://127.0.0.1:$WEB_PORT/file"
	came_whole "$BATS_TEST_TMPDIR"/[0-6]
}

# upload PROXY: the web server answers with the checksum of what came.
upload()
{
	fetch "$BATS_TEST_TMPDIR/sum" -x "$1" -H Expect: \
		--data-binary "@$WEB/file" "http://localhost:$WEB_PORT/cgi-bin/sum"
	[ "$(cat "$BATS_TEST_TMPDIR/sum")" = "$(cksum <"$WEB/file")" ]
}

# open_tunnel WHERE STEP...: to the target that start_target started. The client
# has its reply, and plays the steps when close_tunnel lets it.
open_tunnel()
{
	[ ! -e "$BATS_TEST_TMPDIR/open" ] ||
		rm -f "$BATS_TEST_TMPDIR/open" "$BATS_TEST_TMPDIR/close"
	"$HOSTS/client" "$1" "${greet[@]}" "send:$(request4 "$port")" \
		reply:00 "touch:$BATS_TEST_TMPDIR/open" \
		"await:$BATS_TEST_TMPDIR/close" "${@:2}" 3>&- &
	client=$!
	wait_until [ -e "$BATS_TEST_TMPDIR/open" ]
}

# close_tunnel: the steps of both sides have held.
close_tunnel()
{
	: >"$BATS_TEST_TMPDIR/close"
	wait "$client"
	target_held
}

# What a handler in the middle of a relay has open: 0, 1 and 2, of which 2 is
# not the client, and the target. What it inherited from the super-server, and
# that from us, is closed.
has_only_its_own()
{
	local fds

	wait_until handler_runs
	fds=/proc/$handler/fd
	ls -l "$fds"
	[ "$(ls -m "$fds")" = "0, 1, 2, 3" ]
	[ "$(readlink "$fds/2")" != "$(readlink "$fds/0")" ]
	[ "$(readlink "$fds/2")" != "$(readlink "$fds/1")" ]
}

# works WHERE PROXY: whatever a client may do. WHERE is for the client that
# speaks byte by byte.
works()
{
	downloads "$2"
	upload "$2"
	start_target text:hello expect:bye eof
	open_tunnel "$1" expect:hello text:bye shut closed
	has_only_its_own
	close_tunnel
	wait_until no_handlers
}

works_on_port()
{
	works "tcp:127.0.0.1:$PORT" "socks5h://127.0.0.1:$PORT"
}

# recorded CLIENT [END]: the nine connections of works(). Both are extended
# regular expressions.
recorded()
{
	local size=3145728 file=$BATS_TEST_TMPDIR/records
	local end=${2:-(client|target)-eof}

	wait_for_records 9
	records | tee "$file"
	[ "$(grep -cE "^socks5-handler: client=$1 " "$file")" -eq 9 ]
	[ "$(grep -c " command=CONNECT target=localhost:$WEB_PORT \
address=127.0.0.1:$WEB_PORT reply=0 " "$file")" -eq 7 ]
	[ "$(grep -cE " end=($end)\$" "$file")" -eq 9 ]

	# The seven downloads and the upload:
	[ "$(grep -oE ' bytes_down=[0-9]+' "$file" |
		awk -F= -v size=$size '$2 >= size' | wc -l)" -eq 7 ]
	[ "$(grep -oE ' bytes_up=[0-9]+' "$file" |
		awk -F= -v size=$size '$2 >= size' | wc -l)" -eq 1 ]
	record=$(grep " target=127.0.0.1:$port " "$file")
	has bytes_up 3
	has bytes_down 5
}

tcp_client='127\.0\.0\.1:[0-9]+'
