# SPDX-License-Identifier: ISC
# For bats: all that a client may do, and what it leaves in the record: several
# downloads, an upload, a tunnel to a target that start_target started.
#
#	start_web; start_superserver tcpserver --log=stderr
#	works_on_port
#	recorded "$tcp_client"
#
# and stop_web in teardown_file(). After handler.bash.

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

# --- what clients do -------------------------------------------------------

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
	wait_until handler_runs
	[ "$(ls -m "/proc/$handler/fdinfo")" = "0, 1, 2, 3" ]
	[ "$(inode "$handler" 2)" != "$(inode "$handler" 0)" ]
	[ "$(inode "$handler" 2)" != "$(inode "$handler" 1)" ]
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
