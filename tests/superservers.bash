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

load common

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
