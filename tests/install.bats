#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# make install puts things where the distribution looks, leaves alone what an
# administrator has edited, and takes itself back. With systemd: upgrade.bats.
#
# Each test is a process of its own, and may change what it likes:
# shellcheck disable=SC2030,SC2031

bats_require_minimum_version 1.5.0

installed()
{
	(cd "$1" && find . ! -type d | sort)
}

@test "install honours DESTDIR and PREFIX, and uninstall leaves nothing" {
	dest=$BATS_TEST_TMPDIR/dest
	# Debian 13 has what tells it in a package of its own.
	units=$(pkg-config --variable=systemdsystemunitdir systemd ||
		echo /usr/lib/systemd/system)
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$dest" PREFIX=/usr install
	[ "$(installed "$dest")" = "$(sort <<-END
		./etc/socks5-handler/handler.conf
		./etc/socks5-handler/rules
		./etc/socks5-handler/users
		./etc/xinetd.d/socks5-handler
		./etc/xinetd.d/socks5-handler-wait
		.$units/socks5-handler-unix.socket
		.$units/socks5-handler-unix@.service
		.$units/socks5-handler-wait.service
		.$units/socks5-handler-wait.socket
		.$units/socks5-handler.socket
		.$units/socks5-handler@.service
		./usr/bin/socks5-handler
		./usr/lib/sysusers.d/socks5-handler.conf
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
		./usr/share/doc/socks5-handler/examples/fail2ban/filter.d/socks5-handler.conf
		./usr/share/doc/socks5-handler/examples/fail2ban/jail.d/socks5-handler.conf
		./usr/share/doc/socks5-handler/examples/inetd.conf
		./usr/share/doc/socks5-handler/examples/socks5-handler/handler.conf
		./usr/share/doc/socks5-handler/examples/socks5-handler/rules
		./usr/share/doc/socks5-handler/examples/socks5-handler/users
		./usr/share/doc/socks5-handler/examples/tcpserver
		./usr/share/doc/socks5-handler/examples/xinetd.d/socks5-handler
		./usr/share/doc/socks5-handler/examples/xinetd.d/socks5-handler-wait
		./usr/share/man/man5/socks5-handler.rules.5
		./usr/share/man/man5/socks5-handler.users.5
		./usr/share/man/man8/socks5-handler.8
	END
	)" ]
	"$dest/usr/bin/socks5-handler" --version
	# Whatever names the program names the one that was installed.
	run ! grep -r /usr/local/bin "$dest"
	for unit in @ -unix@ -wait; do
		grep -qx 'ExecStart=/usr/bin/socks5-handler --config=/etc/socks5-handler/handler.conf' \
			"$dest$units/socks5-handler$unit.service"
	done
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$dest" PREFIX=/usr uninstall
	[ -z "$(installed "$dest")" ]
	[ -z "$(find "$dest" -name '*socks5*')" ]
}

@test "install to /usr/local by default" {
	dest=$BATS_TEST_TMPDIR/dest
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$dest" install
	[ -x "$dest/usr/local/bin/socks5-handler" ]
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$dest" uninstall
	[ -z "$(installed "$dest")" ]
}

@test "handler.conf has every option, and says nothing until one is written" {
	dest=$BATS_TEST_TMPDIR/dest
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$dest" install
	file=$dest/etc/socks5-handler/handler.conf
	run ! grep -v '^#\|^$' "$file"
	"$HANDLER" --config="$file" --check
	# But for those of the command line alone, each with what it is above.
	"$HANDLER" --help | sed -n '/--config/,$d; s/^ *--\([a-z-]*\).*/\1/p' \
		>"$BATS_TEST_TMPDIR/options"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/options")" -ge 24 ]
	while read -r option; do
		grep -B 1 "^#$option\( \|\$\)" "$file" | head -n 1 | grep '^# [^-]'
	done <"$BATS_TEST_TMPDIR/options"
	# The other two are for the administrator as well.
	"$HANDLER" --rules="$dest/etc/socks5-handler/rules" --check
	run "$HANDLER" --rules="$dest/etc/socks5-handler/rules" --explain \
		127.0.0.1 80
	[[ $output == *"allow  from local  to any, internal"* ]]
}

@test "another directory for configuration: whatever names it names that" {
	dest=$BATS_TEST_TMPDIR/dest
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$dest" SYSCONFDIR=/opt/etc \
		install
	[ -e "$dest/opt/etc/socks5-handler/handler.conf" ]
	[ -e "$dest/opt/etc/xinetd.d/socks5-handler" ]
	[ ! -e "$dest/etc" ]
	[ "$(grep -rlF -- --config=/opt/etc/socks5-handler/handler.conf "$dest" |
		grep -c '\.service$\|/xinetd.d/\|/examples/inetd.conf$')" -ge 7 ]
	run ! grep -rF -- =/etc/socks5-handler/ "$dest/opt" "$dest/lib" \
		"$dest/usr/lib"
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$dest" SYSCONFDIR=/opt/etc \
		uninstall
	[ -z "$(installed "$dest")" ]
}

modes()
{
	(cd "$1" && find . ! -type l -printf '%m %p\n' | sort -k 2)
}

@test "modes are the same whatever the umask, and only root can write" {
	for mask in 000 077; do
		dest=$BATS_TEST_TMPDIR/$mask
		mkdir -m 755 "$dest"
		(umask $mask && make -C "$TOP" -s BUILD="$BUILD" \
			DESTDIR="$dest" install)
	done
	diff <(modes "$BATS_TEST_TMPDIR/000") <(modes "$BATS_TEST_TMPDIR/077")
	[ "$(modes "$dest" | sed 's/ .*//' | sort -u)" = $'640\n644\n755' ]
	[ "$(modes "$dest" | grep ^640)" = "640 ./etc/socks5-handler/users" ]
	find "$dest/etc/socks5-handler" "$dest/etc/xinetd.d" -type f \
		-perm /111 | tee "$BATS_TEST_TMPDIR/programs"
	[ ! -s "$BATS_TEST_TMPDIR/programs" ]
}

# make_next VERSION: a tree in which the text of each file for the administrator
# has changed, in $next.
make_next()
{
	local file

	next=$BATS_TEST_TMPDIR/$1
	mkdir -p "$next"
	tar -C "$TOP" --exclude=./build --exclude=./.git -cf - . |
		tar -C "$next" -xf -
	mkdir -p "$next/build/$BUILD"
	cp "$HANDLER" "$next/build/$BUILD/"
	"$HANDLER" --help=conf >"$next/build/$BUILD/handler.conf"
	for file in "build/$BUILD/handler.conf" etc/rules etc/users \
		xinetd/socks5-handler xinetd/socks5-handler-wait; do
		echo "# version $1" >>"$next/$file"
	done
}

# install_next [GOAL]: it, without a compiler.
install_next()
{
	make -C "$next" -s BUILD="$BUILD" -o "build/$BUILD/socks5-handler" \
		DESTDIR="$dest" "${1:-install}"
}

# texts: those files, but for their directory
texts()
{
	(cd "$dest/etc" && find socks5-handler xinetd.d -type f | sort)
}

@test "what an administrator has edited stays, and what is new lies beside it" {
	dest=$BATS_TEST_TMPDIR/dest
	make_next 2
	install_next
	all=$(texts)
	# Again, nothing is to be said.
	run install_next
	[ -z "$output" ]
	[ "$(texts)" = "$all" ]
	# Not edited: they are renewed.
	make_next 3
	run install_next
	[ -z "$output" ]
	[ "$(texts)" = "$all" ]
	for file in $all; do
		[ "$(tail -n 1 "$dest/etc/$file")" = "# version 3" ]
	done
	# Edited, and there is nothing new: not a word.
	for file in $all; do
		echo "# mine" >>"$dest/etc/$file"
	done
	run install_next
	[ -z "$output" ]
	[ "$(texts)" = "$all" ]
	# Edited, and there is something new.
	make_next 4
	run install_next
	echo "$output"
	[ "${#lines[@]}" -eq 5 ]
	for file in $all; do
		[[ $output == *"/etc/$file stays as it is; "*" /etc/$file.new."* ]]
		[ "$(tail -n 1 "$dest/etc/$file")" = "# mine" ]
		[ "$(tail -n 1 "$dest/etc/$file.new")" = "# version 4" ]
		[ "$(stat -c %a "$dest/etc/$file")" = \
			"$(stat -c %a "$dest/etc/$file.new")" ]
	done
	# It was taken over: the file is no more an edited one.
	for file in $all; do
		mv "$dest/etc/$file.new" "$dest/etc/$file"
	done
	make_next 5
	run install_next
	[ -z "$output" ]
	[ "$(texts)" = "$all" ]
	install_next uninstall
	[ -z "$(installed "$dest")" ]
}

@test "over version 0.1, which kept no copy of what it had installed" {
	dest=$BATS_TEST_TMPDIR/dest
	make_next 2
	mkdir -p "$dest"/{etc/xinetd.d,usr/local/share/doc/socks5-handler/examples}
	echo "disable = no" >"$dest/etc/xinetd.d/socks5-handler"
	: >"$dest/usr/local/share/doc/socks5-handler/examples/fail2ban.conf"
	run install_next
	echo "$output"
	[[ $output == "/etc/xinetd.d/socks5-handler stays as it is; "* ]]
	[ "$(cat "$dest/etc/xinetd.d/socks5-handler")" = "disable = no" ]
	# xinetd reads no file with a dot in its name.
	[ -e "$dest/etc/xinetd.d/socks5-handler.new" ]
	[ ! -e "$dest/usr/local/share/doc/socks5-handler/examples/fail2ban.conf" ]
}

@test "uninstall: what was edited is left, and nothing leads to what is gone" {
	dest=$BATS_TEST_TMPDIR/dest
	make_next 2
	install_next
	echo "alice:x" >>"$dest/etc/socks5-handler/users"
	sed -i 's/yes/no/' "$dest/etc/xinetd.d/socks5-handler"
	# As `systemctl enable` makes them, and a template's other name.
	wants=$dest/etc/systemd/system/sockets.target.wants
	mkdir -p "$wants" "$dest/etc/systemd/system/socks5-handler@.service.d"
	ln -s /lib/systemd/system/socks5-handler.socket "$wants/"
	ln -s /usr/lib/systemd/system/socks5-handler.socket "$wants/../socks5.socket"
	ln -s /lib/systemd/system/socks5-handler@.service "$wants/../mine@.service"
	ln -s /lib/systemd/system/other.socket "$wants/"
	echo >"$dest/etc/systemd/system/socks5-handler@.service.d/mine.conf"
	printf '127.0.0.1:1080 stream tcp nowait nobody %s socks5-handler\n' \
		/usr/local/bin/socks5-handler >"$dest/etc/inetd.conf"
	run install_next uninstall
	echo "$output"
	[ "$output" = "This is yours, and was left:
    /etc/socks5-handler/users
    /etc/xinetd.d/socks5-handler.saved
    /etc/systemd/system/socks5-handler@.service.d
    its line in /etc/inetd.conf" ]
	[ "$(installed "$dest")" = "./etc/inetd.conf
./etc/socks5-handler/users
./etc/systemd/system/sockets.target.wants/other.socket
./etc/systemd/system/socks5-handler@.service.d/mine.conf
./etc/xinetd.d/socks5-handler.saved" ]
	tail -n 1 "$dest/etc/socks5-handler/users" | grep -qx alice:x
}

@test "what is shipped listens on loopback only" {
	for file in "$TOP"/systemd/socks5-handler{,-wait}.socket; do
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
