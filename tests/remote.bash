# SPDX-License-Identifier: ISC
# For bats: a second host, in a network of its own with a cable to this one.
# Here is 192.0.2.1 and 2001:db8::1; there are 192.0.2.2 and 2001:db8::2, with
# a web server on port 8080, whose files are in $web_root. What listens here
# does so on port 1080 of all addresses.
#
#	start_remote; serve --open
#	there curl -x socks5h://192.0.2.1:1080 http://192.0.2.2:8080/file
#	recorded refused "denied by ..."
#
# and stop_remote in teardown(). Or, for all tests of a file, start_remote in
# setup_file(), where it can't skip (skip_if_left_out), stop_superservers in
# teardown(), and stop_remote in teardown_file().

load handler
load superservers

# there COMMAND...: on the other host
there()
{
	nsenter -t "$remote" -n "$@"
}

away()
{
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

start_remote()
{
	local dir=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}

	need unshare nsenter ip busybox curl
	[ -z "${LEFT_OUT:-}" ] || return 0
	# An interface is made: not in the network of this machine.
	[ "$(ip -o link show | wc -l)" -eq 1 ] ||
		unavailable "this suite has no network of its own" || return
	[ -z "${LEFT_OUT:-}" ] || return 0
	export remote web web_root=$dir/web
	unshare --net sleep 600 3>&- &
	remote=$!
	wait_until away "$remote"
	ip link add here type veth peer name there netns "$remote"
	ip address add 192.0.2.1/24 dev here
	ip address add 192.0.2.3/24 dev here
	ip -6 address add 2001:db8::1/64 dev here nodad
	ip link set here up
	there sh -c 'ip link set lo up
		ip address add 192.0.2.2/24 dev there
		ip address add 192.0.2.4/24 dev there
		ip -6 address add 2001:db8::2/64 dev there nodad
		ip link set there up'
	mkdir -p "$web_root"
	echo "far away" >"$web_root/file"
	# Not by there(): what is ended is the server, and no shell above it.
	nsenter -t "$remote" -n busybox httpd -f -p '[::]:8080' \
		-h "$web_root" 3>&- &
	web=$!
	wait_until there curl -q -s --noproxy '*' -o /dev/null \
		http://192.0.2.2:8080/file
	wait_until curl -q -s --noproxy '*' -g -o /dev/null \
		'http://[2001:db8::2]:8080/file'
}

stop_remote()
{
	stop_superservers
	[ -z "${web:-}" ] || end_process "$web"
	[ -z "${remote:-}" ] || end_process "$remote"
	ip link delete here 2>/dev/null || :
}

# serve HANDLEROPTION...: on port 1080, records to $SERVER_LOG. COMMAND in
# $within runs it.
serve()
{
	local name=systemd-socket-activate-inetd
	local -a command

	[ -z "${LISTENING:-}" ] || name+=-wait
	copy_program
	SERVER_LOG=$BATS_TEST_TMPDIR/server.log
	superserver_command "$name" '[::]:1080' --log=stderr "$@"
	start_listening 1080 "${within[@]}" "${command[@]}"
}

# serve_anew HANDLEROPTION...: in place of the one before
serve_anew()
{
	end_process "${superserver_pids[-1]}"
	unset 'superserver_pids[-1]'
	seen=0
	serve "$@"
}

# get URL CURLOPTION...: from there, through the handler here; "far away" is
# what it should bring.
get()
{
	there curl -q -sS --noproxy '' --max-time 20 \
		-x "${proxy:-socks5h://192.0.2.1:1080}" "${@:2}" "$1"
}

# asks STEP...: from there, in the bytes of SOCKS5
asks()
{
	there "$HOSTS/client" tcp:192.0.2.1:1080 "$@"
}

# recorded END [ERRORPATTERN]: the last record says so, and there is no other
# since the last call. END "served" is that either side was the first to finish.
recorded()
{
	seen=$((${seen:-0} + 1))
	wait_for_records "$seen"
	echo "$record"
	if [ "$1" = served ]; then
		[[ $(field end) == *-eof ]]
	else
		has end "$1"
	fi || return
	# shellcheck disable=SC2053 # a pattern
	[ $# -eq 1 ] || [[ $(field error) == $2 ]]
}

# start_names [-4] ANSWER...: a name server of our own (tests/hosts/nameserver.c) is
# the one that handlers ask; what it was asked is in $asked.
start_names()
{
	local dir=$BATS_TEST_TMPDIR options=()

	need_namespaces
	[ -z "${names:-}" ] || end_process "$names"
	asked=$dir/asked
	rm -f "$dir/names"
	while [[ $1 == -* ]]; do
		options+=("$1")
		shift
	done
	"$HOSTS/nameserver" "${options[@]}" "$dir/names" "$@" >"$asked" 3>&- &
	names=$!
	wait_until [ -e "$dir/names" ]
	echo 'hosts: dns' >"$dir/nsswitch.conf"
	echo 'nameserver 127.0.0.1' >"$dir/resolv.conf"
	within=(unshare -m sh -c 'for file in nsswitch.conf resolv.conf; do
		mount --bind "$0/$file" "/etc/$file"; done
		exec "$@"' "$dir")
}

remote=${remote:-}
web=${web:-}
within=()
