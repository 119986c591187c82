#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Clients that nobody here wrote, over the real handler.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load handler
load superservers
load traffic
load sshd
load browser

setup_file()
{
	start_web
	start_sshd
}

teardown_file()
{
	stop_web
	stop_sshd
}

setup()
{
	skip_if_left_out
	# None of this user's settings.
	export HOME=$BATS_TEST_TMPDIR/home
	mkdir "$HOME"
	unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY \
		ALL_PROXY NO_PROXY
	# A hook of git's, which may have started us, has some of these.
	unset "${!GIT_@}"
	start_superserver systemd-socket-activate-inetd --log=stderr \
		--lifetime=60
	proxy=127.0.0.1:$PORT
	url=http://localhost:$WEB_PORT/file
	out=$BATS_TEST_TMPDIR/out
}

teardown()
{
	handler_teardown
	end_browsers
	stop_superservers
}

# Whatever a client waits for, it doesn't wait for ever.
bounded()
{
	timeout -k 5 30 "$@"
}

# served N [REPLY]: so many connections were, and all got this reply.
served()
{
	wait_for_records "$1"
	records
	[ "$(records | grep -c " reply=${2:-0} ")" -eq "$1" ]
}

@test "curl: names looked up by us, and by curl" {
	fetch "$out" -x "socks5h://$proxy" "$url"
	fetch "$out.2" -x "socks5://$proxy" "http://127.0.0.1:$WEB_PORT/file"
	came_whole "$out" "$out.2"
	served 2
	records | grep -q "target=localhost:$WEB_PORT "
	records | grep -q "target=127.0.0.1:$WEB_PORT "
}

@test "curl: twenty at once" {
	urls=()
	for i in {1..20}; do
		urls+=(-o "$out.$i" "$url")
	done
	curl -q -sS --noproxy '' --max-time 60 --parallel --parallel-immediate \
		-x "socks5h://$proxy" "${urls[@]}"
	came_whole "$out".*
	served 20
}

@test "curl: offers a password, and is served without one" {
	fetch "$out" -x "socks5h://user:secret@$proxy" "$url"
	came_whole "$out"
	served 1
	run ! grep secret "$SERVER_LOG"
}

@test "curl: refused, and not found" {
	run fetch "$out" -x "socks5h://$proxy" http://localhost:1/
	[ "$status" -eq 97 ]
	[[ $output == *"(5)"* ]] # as it came over the wire
	served 1 5
	run fetch "$out" -x "socks5h://$proxy" http://no-such-name.invalid/
	[ "$status" -eq 97 ]
	[[ $output == *"(4)"* ]]
	wait_for_records 2
	has target no-such-name.invalid:80
	has reply 4
}

@test "curl: an upload, and its checksum back" {
	fetch "$out" -x "socks5h://$proxy" -H Expect: --data-binary \
		"@$WEB/file" "http://localhost:$WEB_PORT/cgi-bin/sum"
	[ "$(cat "$out")" = "$(cksum <"$WEB/file")" ]
	served 1
	at_least "$(field bytes_up)" 3145728
}

@test "curl: an IPv6 target" {
	target_options=(-6)
	start_target expect:GET "text:$(printf 'HTTP/1.0 200 OK\r\n\r\nsix')" \
		shut drain-eof
	[ "$(curl -q -sS --noproxy '' --max-time 20 -x "socks5h://$proxy" \
		"http://[::1]:$port/")" = six ]
	target_held
	served 1
	has address "[::1]:$port"
}

# start_git_daemon: serves $WEB on port $daemon.
start_git_daemon()
{
	local tries server SERVER_LOG=$BATS_TEST_TMPDIR/daemon.log

	for ((tries = 0; tries < 5; tries++)); do
		daemon=$(free_port)
		start_listening "$daemon" "$(git --exec-path)/git-daemon" \
			--reuseaddr --listen=127.0.0.1 --port="$daemon" \
			--base-path="$WEB" --export-all && return
	done
	cat "$SERVER_LOG" >&2
	return 1
}

# is_the_clone DIR: sound, and at the commit that was made.
is_the_clone()
{
	git -C "$1" fsck --strict
	[ "$(git -C "$1" rev-parse HEAD)" = "$commit" ]
	cmp "$1/noise" "$WEB/file"
}

@test "git: clone over http, and over git://" {
	need git nc
	# git daemon is no command of git's own on every machine.
	[ -x "$(git --exec-path)/git-daemon" ] || unavailable "no git daemon"
	repo=$WEB/repo.$RANDOM.git
	git init -q -b main "$BATS_TEST_TMPDIR/work"
	cp "$WEB/file" "$BATS_TEST_TMPDIR/work/noise"
	git -C "$BATS_TEST_TMPDIR/work" add noise
	git -C "$BATS_TEST_TMPDIR/work" -c user.name=n -c user.email=e@x.test \
		commit -qm noise
	commit=$(git -C "$BATS_TEST_TMPDIR/work" rev-parse HEAD)
	git clone -q --bare "$BATS_TEST_TMPDIR/work" "$repo"
	git -C "$repo" update-server-info

	bounded git -c "http.proxy=socks5h://$proxy" clone -q \
		"http://localhost:$WEB_PORT/${repo##*/}" "$out"
	is_the_clone "$out"
	# Any number of them: so dumb a server gives one object after the other.
	wait_until no_handlers
	before=$(records | wc -l)
	at_least "$before" 1

	start_git_daemon
	printf '#!/bin/sh\nexec nc -N -X 5 -x %s "$@"\n' "$proxy" \
		>"$HOME/through"
	chmod +x "$HOME/through"
	bounded git -c core.gitProxy="$HOME/through" clone -q \
		"git://127.0.0.1:$daemon/${repo##*/}" "$out.2"
	is_the_clone "$out.2"
	served $((before + 1))
	has target "127.0.0.1:$daemon"
	at_least "$(field bytes_down)" 3145728
}

@test "ssh and scp with ProxyCommand nc -X 5" {
	need nc scp
	config=(-F "$BATS_FILE_TMPDIR/ssh_config"
		-o "ProxyCommand=nc -X 5 -x $proxy %h %p")
	# shellcheck disable=SC2029 # the path is this side's
	bounded ssh -n "${config[@]}" gateway cat "$WEB/file" >"$out"
	came_whole "$out"
	bounded ssh "${config[@]}" gateway cksum <"$WEB/file" >"$out"
	[ "$(cat "$out")" = "$(cksum <"$WEB/file")" ]
	# Without an sftp server on the other side.
	bounded scp -O -q "${config[@]}" "gateway:$WEB/file" "$out.2"
	came_whole "$out.2"
	served 3
}

# gets COMMAND...: with a host and a port behind it, joins its standard input
# and output to them, and says FIN as soon as there is no more input.
gets()
{
	printf 'GET /file HTTP/1.0\r\nHost: localhost\r\n\r\n' |
		bounded "$@" localhost "$WEB_PORT" >"$out"
	tail -c 3145728 "$out" | cmp - "$WEB/file"
	served 1
	# From a target that doesn't say a word before it has seen the FIN.
	start_target expect:ping eof pattern:1M
	printf ping | bounded "$@" localhost "$port" >"$out"
	target_held
	[ "$(wc -c <"$out")" -eq 1048576 ]
	served 2
	has end client-eof
	has bytes_up 4
	has bytes_down 1048576
}

@test "nc -N, which says FIN before the answer" {
	need nc
	gets nc -N -X 5 -x "$proxy"
}

@test "ncat --proxy-type socks5" {
	need ncat
	gets ncat --proxy "$proxy" --proxy-type socks5
}

@test "connect-proxy" {
	need connect-proxy
	gets connect-proxy -R remote -5 -S "$proxy"
}

@test "proxychains4" {
	need proxychains4
	printf 'strict_chain\nquiet_mode\n[ProxyList]\nsocks5 127.0.0.1 %s\n' \
		"$PORT" >"$HOME/chain"
	bounded proxychains4 -f "$HOME/chain" curl -q -sS --max-time 30 -o "$out" \
		"http://127.0.0.1:$WEB_PORT/file"
	came_whole "$out"
	served 1
}

@test "torsocks: looks names up by a command that we don't serve" {
	need torsocks
	printf 'TorAddress 127.0.0.1\nTorPort %s\n' "$PORT" \
		>"$HOME/torsocks.conf"
	TORSOCKS_CONF_FILE=$HOME/torsocks.conf run bounded torsocks curl -q \
		-sS --max-time 20 -o "$out" http://name.invalid/
	[ "$status" -ne 0 ]
	[[ $output == *"Status reply: 7"* ]]
	wait_until no_handlers
	records
	# Each ends at once, with an answer.
	[ "$(records | grep -c " command=RESOLVE target=name.invalid:.* reply=7 ")" \
		-ge 1 ]
	[ "$(records | grep -vc ' reply=7 ')" -eq 0 ]
}

# It refuses to go to loopback, by whatever name.
@test "torsocks: an address, in a network of its own" {
	need torsocks ip nsenter
	need_namespaces
	SERVER_LOG=$BATS_TEST_TMPDIR/web.log
	start_listening 80 unshare -rn sh -c 'ip link set lo up &&
		ip address add 192.0.2.1 dev lo && exec "$@"' sh \
		busybox httpd -f -p 192.0.2.1:80 -h "$WEB"
	in_it=(nsenter -t "$server" -U -n --preserve-credentials)
	superserver_command systemd-socket-activate-inetd "127.0.0.1:$PORT" \
		--log=stderr
	SERVER_LOG=$BATS_TEST_TMPDIR/there.log
	start_listening "$PORT" "${in_it[@]}" "${command[@]}"
	printf 'TorAddress 127.0.0.1\nTorPort %s\n' "$PORT" \
		>"$HOME/torsocks.conf"
	export TORSOCKS_CONF_FILE=$HOME/torsocks.conf
	bounded "${in_it[@]}" torsocks curl -q -sS --max-time 20 -o "$out" \
		http://192.0.2.1/file
	came_whole "$out"
	served 1
	run bounded "${in_it[@]}" torsocks curl -q -sS --max-time 20 \
		-o "$out" http://192.0.2.1:81/file
	[ "$status" -eq 7 ]
	[[ $output == *"Connection refused to Tor SOCKS"* ]]
	wait_for_records 2
	has target 192.0.2.1:81
	has reply 5
	# Circuits of its own by a login that it makes up: it offers no other
	# method, and there are no accounts here.
	bounded "${in_it[@]}" torsocks --isolate curl -q -sS --max-time 20 \
		-o "$out" http://192.0.2.1/file
	came_whole "$out"
	wait_for_records 3
	[[ $(field ident) == torsocks-* ]]
	has user ""
}

@test "dante's socksify" {
	need socksify
	# It goes to loopback addresses by itself, and so gets a name.
	cat >"$HOME/socks.conf" <<-END
		resolveprotocol: fake
		route {
			from: 0.0.0.0/0 to: . via: 127.0.0.1 port = $PORT
			proxyprotocol: socks_v5
			command: connect
			method: none
		}
	END
	export SOCKS_CONF=$HOME/socks.conf
	gets socksify busybox nc
}

@test "PySocks" {
	need /usr/bin/python3
	/usr/bin/python3 -c 'import socks' || unavailable "PySocks is missing"
	bounded /usr/bin/python3 - "$PORT" "$WEB_PORT" "$out" <<-END
		import socks, sys
		s = socks.socksocket()
		s.settimeout(20)
		s.set_proxy(socks.SOCKS5, "127.0.0.1", int(sys.argv[1]), True)
		s.connect(("localhost", int(sys.argv[2])))
		s.sendall(b"GET /file HTTP/1.0\r\n\r\n")
		data = b""
		while True:
		    part = s.recv(65536)
		    if not part:
		        break
		    data += part
		open(sys.argv[3], "wb").write(data[-3145728:])
	END
	came_whole "$out"
	served 1
}

@test "chromium: a page with twenty parts" {
	need chromium pgrep
	page=$WEB/page.$RANDOM
	mkdir "$page"
	{
		echo '<!DOCTYPE html><link rel=icon href=data:,><body>'
		for i in {1..20}; do
			echo "<script src=$i.js></script>"
			echo "window.n = (window.n || 0) + $i;" >"$page/$i.js"
		done
		echo '<script>document.body.textContent = "sum=" + n;</script>'
	} >"$page/index.html"
	start_browser page "$proxy" \
		"http://localhost:$WEB_PORT/${page##*/}/index.html"
	wait "$browser"
	grep -q 'sum=210' "$BATS_TEST_TMPDIR/page.html"
	patience=5 wait_until no_browser_runs
	wait_until no_handlers
	records
	# The server closes after each answer: a connection for every part.
	at_least "$(records | grep " target=localhost:$WEB_PORT .* reply=0 " |
		grep -vc ' bytes_down=0 ')" 21
}
