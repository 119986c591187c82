# SPDX-License-Identifier: ISC
# For bats: headless chromium over a proxy, with a profile of its own.
#
#	start_browser page 127.0.0.1:1080 http://localhost:8080/
#	wait "$browser"
#
# and end_browsers in teardown(). After superservers.bash.

browsers=()

# start_browser NAME PROXY URL: in the background; what has become of the page
# is in $BATS_TEST_TMPDIR/NAME.html when it is loaded and the browser has ended.
start_browser()
{
	local out=$BATS_TEST_TMPDIR/$1.html

	# The last two options are for it to ask nobody else: what time it is,
	# and whether there is an update.
	BROWSER_OF=$BATS_TEST_TMPDIR timeout -k 5 150 chromium --headless \
		--no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update \
		--disable-sync --disable-dev-shm-usage \
		--user-data-dir="$BATS_TEST_TMPDIR/$1.profile" \
		--proxy-server="socks5://$2" --proxy-bypass-list='<-loopback>' \
		--disable-features=NetworkTimeServiceQuerying \
		--component-updater=url-source=http://localhost:1/ --dump-dom \
		"$3" >"$out" 2>"$out.err" 3>&- &
	browser=$! # timeout makes a group of it
	browsers+=("$browser")
}

# browser_processes: some have a group or a session of their own, and some
# write over their environment; none does both.
browser_processes()
{
	local group

	for group in "${browsers[@]}"; do
		pgrep -g "$group" || :
	done
	grep -lsxz "BROWSER_OF=$BATS_TEST_TMPDIR" /proc/[0-9]*/environ |
		cut -d / -f 3
}

no_browser_runs()
{
	[ -z "$(browser_processes)" ]
}

end_browsers()
{
	local pid

	[ ${#browsers[@]} -gt 0 ] || return 0
	for pid in $(browser_processes); do
		kill -KILL "$pid" 2>/dev/null || :
	done
	wait_until no_browser_runs
}
