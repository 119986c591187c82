#!/usr/bin/env bats
# Clients that nobody here wrote, over the real handler.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

load handler
load sshd

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
	start_superserver systemd-socket-activate-inetd --log=stderr
	proxy=127.0.0.1:$PORT
	url=http://localhost:$WEB_PORT/file
	out=$BATS_TEST_TMPDIR/out
}

teardown()
{
	handler_teardown
	if [ -n "${server_pid:-}" ]; then
		end_process "$server_pid"
	fi
	stop_superservers
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
}

@test "curl: refused, not found, and a name that is no name" {
	run fetch "$out" -x "socks5h://$proxy" http://localhost:1/
	[ "$status" -eq 97 ]
	served 1 5
	run fetch "$out" -x "socks5h://$proxy" http://no-such-name.invalid/
	[ "$status" -eq 97 ]
	wait_for_records 2
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

@test "git: clone over http, and over git://" {
	need git
	# git daemon is no command of git's own on every machine.
	[ -x "$(git --exec-path)/git-daemon" ] || unavailable "no git daemon"
	repo=$WEB/repo.$RANDOM.git
	git init -q -b main "$BATS_TEST_TMPDIR/work"
	cp "$WEB/file" "$BATS_TEST_TMPDIR/work/noise"
	git -C "$BATS_TEST_TMPDIR/work" add noise
	git -C "$BATS_TEST_TMPDIR/work" -c user.name=n -c user.email=e@x.test \
		commit -qm noise
	git clone -q --bare "$BATS_TEST_TMPDIR/work" "$repo"
	git -C "$repo" update-server-info

	git -c "http.proxy=socks5h://$proxy" clone -q \
		"http://localhost:$WEB_PORT/${repo##*/}" "$out"
	git -C "$out" fsck --strict
	cmp "$out/noise" "$WEB/file"

	daemon=$(free_port)
	git daemon --reuseaddr --listen=127.0.0.1 --port="$daemon" \
		--base-path="$WEB" --export-all 3>&- &
	server_pid=$!
	wait_until grep -q ":$(printf %04X "$daemon") 00000000:0000 0A" \
		/proc/net/tcp
	# nc says FIN before the answer has come.
	printf '#!/bin/sh\nexec nc -X 5 -x %s "$@"\n' "$proxy" >"$HOME/through"
	chmod +x "$HOME/through"
	git -c core.gitProxy="$HOME/through" clone -q \
		"git://127.0.0.1:$daemon/${repo##*/}" "$out.2"
	git -C "$out.2" fsck --strict
	cmp "$out.2/noise" "$WEB/file"
	end_process "$server_pid"
	server_pid=
	wait_until no_handlers
	[ "$(records | grep -c ' reply=0 ')" -ge 2 ]
	[ "$(records | grep -vc ' reply=0 ')" -eq 0 ]
}

@test "ssh and scp with ProxyCommand nc -X 5" {
	need nc scp
	config=(-F "$BATS_FILE_TMPDIR/ssh_config"
		-o "ProxyCommand=nc -X 5 -x $proxy %h %p")
	# shellcheck disable=SC2029 # the path is this side's
	ssh "${config[@]}" gateway cat "$WEB/file" >"$out"
	came_whole "$out"
	ssh "${config[@]}" gateway cksum <"$WEB/file" >"$out"
	[ "$(cat "$out")" = "$(cksum <"$WEB/file")" ]
	# Without an sftp server on the other side.
	scp -O -q "${config[@]}" "gateway:$WEB/file" "$out.2"
	came_whole "$out.2"
	served 3
}

# gets COMMAND...: a request on its standard input gives the whole file on its
# standard output, although it says FIN right after the request.
gets()
{
	printf 'GET /file HTTP/1.0\r\nHost: localhost\r\n\r\n' |
		timeout 20 "$@" >"$out"
	tail -c 3145728 "$out" | cmp - "$WEB/file"
	served 1
}

@test "nc -N, which says FIN before the answer" {
	need nc
	gets nc -N -X 5 -x "$proxy" localhost "$WEB_PORT"
}

@test "ncat --proxy-type socks5" {
	need ncat
	gets ncat --proxy "$proxy" --proxy-type socks5 localhost "$WEB_PORT"
}

@test "connect-proxy" {
	need connect-proxy
	gets connect-proxy -R remote -5 -S "$proxy" localhost "$WEB_PORT"
}

@test "proxychains4" {
	need proxychains4
	printf 'strict_chain\nquiet_mode\n[ProxyList]\nsocks5 127.0.0.1 %s\n' \
		"$PORT" >"$HOME/chain"
	proxychains4 -f "$HOME/chain" curl -q -sS --max-time 30 -o "$out" \
		"http://127.0.0.1:$WEB_PORT/file"
	came_whole "$out"
	served 1
}

@test "torsocks: looks names up by a command that we don't serve" {
	need torsocks
	printf 'TorAddress 127.0.0.1\nTorPort %s\n' "$PORT" \
		>"$HOME/torsocks.conf"
	TORSOCKS_CONF_FILE=$HOME/torsocks.conf run torsocks curl -q -sS \
		--max-time 20 -o "$out" http://name.invalid/
	[ "$status" -ne 0 ]
	wait_until no_handlers
	records
	# Each ends at once, with an answer.
	[ "$(records | grep -c " command=unknown target=name.invalid:.* reply=7 ")" \
		-ge 1 ]
	[ "$(records | grep -vc ' reply=7 ')" -eq 0 ]
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
	gets socksify busybox nc localhost "$WEB_PORT"
}

@test "PySocks" {
	need /usr/bin/python3
	/usr/bin/python3 -c 'import socks' || unavailable "PySocks is missing"
	/usr/bin/python3 - "$PORT" "$WEB_PORT" "$out" <<-END
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
	need chromium
	page=$WEB/page.$RANDOM
	mkdir "$page"
	{
		echo '<!DOCTYPE html><title>parts</title><body>'
		for i in {1..20}; do
			echo "<script src=$i.js></script>"
			echo "window.n = (window.n || 0) + $i;" >"$page/$i.js"
		done
		echo '<script>document.body.textContent = "sum=" + n;</script>'
	} >"$page/index.html"
	timeout -k 5 60 chromium --headless --no-sandbox --disable-gpu \
		--disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync \
		--user-data-dir="$HOME/chromium" \
		--proxy-server="socks5://$proxy" \
		--proxy-bypass-list='<-loopback>' --dump-dom \
		"http://localhost:$WEB_PORT/${page##*/}/index.html" >"$out" \
		2>"$out.err" 3>&-
	grep -q 'sum=210' "$out"
	wait_until no_handlers
	records
	[ "$(records | grep -c "target=localhost:$WEB_PORT .* reply=0 ")" -ge 1 ]
}
