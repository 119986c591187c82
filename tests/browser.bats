#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Why a browser needs what doc/systemd.md has for it.

load handler
load superservers
load traffic
load browser
load page

setup_file()
{
	start_web
}

teardown_file()
{
	stop_web
}

setup()
{
	skip_if_left_out
}

teardown()
{
	end_browsers
	handler_teardown
	stop_superservers
}

# make_shop NAME: a page that posts an order, which the server notes in $WEB/NAME
# and answers after 33 seconds; another one it answers at once.
make_shop()
{
	: >"$WEB/$1"
	cat >"$WEB/cgi-bin/$1" <<-END
		#!/bin/sh
		echo "\$REQUEST_METHOD" >>"$WEB/$1"
		[ "\$(wc -l <"$WEB/$1")" -gt 1 ] || sleep 33
		printf 'Content-Length: 7\r\n\r\nordered'
	END
	chmod +x "$WEB/cgi-bin/$1"
	cat >"$WEB/$1.html" <<-END
		<!DOCTYPE html><link rel=icon href=data:,><body><script>
		var request = new XMLHttpRequest();
		request.open("POST", "cgi-bin/$1", false);
		request.send("one, please");
		document.body.textContent = "answer=" + request.responseText;
		</script>
	END
}

# shop NAME HANDLEROPTION...: a browser does, by a handler of its own.
shop()
{
	make_shop "$1"
	start_superserver systemd-socket-activate-inetd --log=stderr "${@:2}"
	start_browser "$1" "127.0.0.1:$PORT" \
		"http://localhost:$WEB_PORT/$1.html"
}

@test "a POST whose answer takes 33 seconds arrives once; by default, again" {
	need chromium pgrep
	shop default
	write_blocks systemd "Browsers and people"
	shop once "--config=$blocks/01"
	for browser in "${browsers[@]}"; do
		wait "$browser"
	done
	# The user sees no difference.
	for name in default once; do
		cat "$WEB/$name"
		grep -q 'answer=ordered' "$BATS_TEST_TMPDIR/$name.html" || {
			cat "$BATS_TEST_TMPDIR/$name.html"{,.err}
			return 1
		}
	done
	[ "$(cat "$WEB/once")" = POST ]
	[ "$(cat "$WEB/default")" = $'POST\nPOST' ]
}
