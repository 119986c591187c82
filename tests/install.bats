#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# make install puts things where the distribution looks, and takes them back.

bats_require_minimum_version 1.5.0

installed()
{
	(cd "$1" && find . ! -type d | sort)
}

@test "install honours DESTDIR and PREFIX, and uninstall leaves nothing" {
	dest=$BATS_TEST_TMPDIR/dest
	units=$(pkg-config --variable=systemdsystemunitdir systemd)
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$dest" PREFIX=/usr install
	[ "$(installed "$dest")" = "$(sort <<-END
		./etc/xinetd.d/socks5-handler
		./etc/xinetd.d/socks5-handler-wait
		.$units/socks5-handler-wait.service
		.$units/socks5-handler-wait.socket
		.$units/socks5-handler.socket
		.$units/socks5-handler@.service
		./usr/bin/socks5-handler
		./usr/share/doc/socks5-handler/LICENSE
		./usr/share/doc/socks5-handler/NEWS.md
		./usr/share/doc/socks5-handler/README.md
		./usr/share/doc/socks5-handler/SECURITY.md
		./usr/share/doc/socks5-handler/bench/bulk.svg
		./usr/share/doc/socks5-handler/bench/idle.svg
		./usr/share/doc/socks5-handler/bench/results.md
		./usr/share/doc/socks5-handler/bench/setup.svg
		./usr/share/doc/socks5-handler/bench/systemd.svg
		./usr/share/doc/socks5-handler/doc/access.md
		./usr/share/doc/socks5-handler/doc/inetd.md
		./usr/share/doc/socks5-handler/doc/internals.md
		./usr/share/doc/socks5-handler/doc/recipes.md
		./usr/share/doc/socks5-handler/doc/record.md
		./usr/share/doc/socks5-handler/doc/speed.md
		./usr/share/doc/socks5-handler/doc/ssh.md
		./usr/share/doc/socks5-handler/doc/systemd.md
		./usr/share/doc/socks5-handler/examples/fail2ban.conf
		./usr/share/doc/socks5-handler/examples/inetd.conf
		./usr/share/doc/socks5-handler/examples/tcpserver
		./usr/share/man/man5/socks5-handler.rules.5
		./usr/share/man/man5/socks5-handler.users.5
		./usr/share/man/man8/socks5-handler.8
	END
	)" ]
	"$dest/usr/bin/socks5-handler" --version
	# Whatever names the program names the one that was installed.
	run ! grep -r /usr/local/bin "$dest"
	[ "$(grep -l '^ExecStart=/usr/bin/socks5-handler$' \
		"$dest$units"/*.service | wc -l)" -eq 2 ]
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$dest" PREFIX=/usr uninstall
	[ -z "$(installed "$dest")" ]
}

@test "install to /usr/local by default" {
	dest=$BATS_TEST_TMPDIR/dest
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$dest" install
	[ -x "$dest/usr/local/bin/socks5-handler" ]
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$dest" uninstall
	[ -z "$(installed "$dest")" ]
}

@test "what is shipped listens on loopback only" {
	for file in "$TOP"/systemd/*.socket; do
		[ "$(grep -h ^ListenStream= "$file")" = \
			$'ListenStream=127.0.0.1:1080\nListenStream=[::1]:1080' ]
	done
	for file in "$TOP"/xinetd/socks5-handler{,-wait}; do
		grep -q '^[[:space:]]*bind[[:space:]]*= 127\.0\.0\.1$' "$file"
	done
	run grep -c $'\tstream\t' "$TOP/xinetd/inetd.conf"
	[ "$output" -eq 2 ]
	run grep -cE $'^#?127\\.0\\.0\\.1:1080\tstream\t' \
		"$TOP/xinetd/inetd.conf"
	[ "$output" -eq 2 ]
	grep -q ' 127\.0\.0\.1 1080 ' "$TOP/xinetd/tcpserver"
}

@test "what is shipped for xinetd is turned off" {
	# Two services have the same port there.
	[ "$(grep -lE '^[[:space:]]*disable[[:space:]]*= yes$' \
		"$TOP"/xinetd/socks5-handler{,-wait} | wc -l)" -eq 2 ]
}
