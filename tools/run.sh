#!/bin/sh
# SPDX-License-Identifier: ISC
# run.sh PORT HANDLER [OPTION...]: serves SOCKS5 on 127.0.0.1:PORT until Ctrl-C,
# one HANDLER for each client, and shows their records.
set -eu

port=$1
handler=$2
shift 2

case $port in
'' | 0* | *[!0-9]* | ??????*) valid=0 ;;
*) valid=$((port <= 65535)) ;;
esac
if [ "$valid" -eq 0 ]; then
	echo "PORT=$port is no port, which is from 1 to 65535;" \
		"write for example make run PORT=1081" >&2
	exit 64
fi
if [ "$port" -lt "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" ] &&
	[ "$(id -u)" -ne 0 ]; then
	echo "Only root may listen on port $port;" \
		"try another: make run PORT=1081" >&2
	exit 1
fi

# Whether somebody listens on the port, by the kernel's own list.
listening()
{
	grep -q "$(printf ': 0100007F:%04X [0:]* 0A ' "$port")" /proc/net/tcp ||
		grep -q "$(printf ': 0*:%04X [0:]* 0A ' "$port")" \
			/proc/net/tcp /proc/net/tcp6
}

if listening; then
	echo "Somebody listens on port $port already;" \
		"try another: make run PORT=1081" >&2
	exit 1
fi

# In a session of its own, it and its children don't see the terminal's
# SIGINT: they get a SIGTERM from us, and so leave their records. Or from the
# kernel, should we be killed.
SYSTEMD_LOG_LEVEL=warning setsid setpriv --pdeathsig TERM \
	systemd-socket-activate --accept --inetd \
	-l "127.0.0.1:$port" "$handler" --log=stderr "$@" &
server=$!
stopped=
trap 'stopped=yes' INT TERM HUP

tries=0
until listening; do
	tries=$((tries + 1))
	if [ "$tries" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
		echo "systemd-socket-activate can't listen on port $port" >&2
		kill "$server" 2>/dev/null || :
		exit 1
	fi
	sleep 0.05
done
echo "SOCKS5 on 127.0.0.1:$port. In another terminal, try"
echo
echo "    curl -x socks5h://127.0.0.1:$port https://example.org/"
echo
echo "After 30 seconds a tunnel is reset; curl says \"Connection reset by peer\"."
echo "To lift that: make run OPTIONS=--lifetime=0"
echo "Each connection leaves its record here. Ctrl-C ends it."

# wait returns when a signal was trapped, and again when the server has ended.
wait "$server" || :
if [ -n "$stopped" ]; then
	echo "Stopping."
	kill "$server" 2>/dev/null || :
	wait "$server" 2>/dev/null || :
	# The live handlers got their SIGTERM from the kernel just now.
	sleep 0.2
else
	echo "systemd-socket-activate has ended by itself" >&2
	exit 1
fi
