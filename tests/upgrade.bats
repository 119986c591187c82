#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# make install over version 0.1, and make uninstall, on a machine whose systemd
# and xinetd have it in use.

load systemd

# The last commit before there was an account.
before=cdee26a9fe53315152fd4c09e7791280dc7c681e

setup_file()
{
	local old=$BATS_FILE_TMPDIR/old

	# No skipping of what a shallow clone can't have.
	git -C "$TOP" cat-file -e "$before^{commit}" 2>/dev/null || {
		export LEFT_OUT="this clone has no history"
		return
	}
	need "$SUPERSERVERS/xinetd/usr/sbin/xinetd" htpasswd
	[ -z "${LEFT_OUT:-}" ] || return 0
	mkdir "$old"
	git -C "$TOP" archive "$before" | tar -C "$old" -xf -
	env -u MAKEFLAGS make -s -C "$old" -j2 BUILD=release \
		CFLAGS_release='-O0 -fPIE' LDFLAGS_release=-pie \
		build/release/socks5-handler >/dev/null
	make_xinetd
	BUILD=release tree=$old boot_systemd socks5-handler@.service \
		socks5-handler-wait.service
	[ -z "${LEFT_OUT:-}" ] || return 0
	copy_tree
}

# make_xinetd: the real one, as a unit.
make_xinetd()
{
	local units=$BATS_FILE_TMPDIR/units

	mkdir -p "$units" "$BATS_FILE_TMPDIR/sandbox"
	cp "$SUPERSERVERS/xinetd/usr/sbin/xinetd" "$BATS_FILE_TMPDIR/sandbox"
	echo 'includedir /etc/xinetd.d' >"$BATS_FILE_TMPDIR/sandbox/xinetd.conf"
	cat >"$units/xinetd.service" <<-'END'
		[Service]
		ExecStart=/sandbox/xinetd -dontfork -pidfile /run/xinetd.pid -f /sandbox/xinetd.conf
		ExecReload=kill -HUP $MAINPID
		KillMode=process
	END
}

# copy_tree: ours, to where it can be seen inside.
copy_tree()
{
	mkdir "$STATE/tree"
	tar -C "$TOP" --exclude=./build --exclude=./.git -cf - . |
		tar -C "$STATE/tree" -xf -
	mkdir -p "$STATE/tree/build/$BUILD"
	cp "$HANDLER" "$STATE/tree/build/$BUILD/"
}

# make_inside GOAL: as its administrator would.
make_inside()
{
	inside env -u MAKEFLAGS make -s -C /sandbox/tree BUILD="$BUILD" \
		-o "build/$BUILD/socks5-handler" PREFIX=/usr "$1"
}

teardown_file()
{
	end_systemd
}

setup()
{
	enter_systemd
	held=()
	target_options=(-l 90)
}

teardown()
{
	# Why, where something failed.
	[ -n "${BATS_TEST_COMPLETED:-}" ] || [ -n "${LEFT_OUT:-}" ] ||
		inside journalctl -q --no-pager -o short-precise -n 40
	for pid in "${held[@]}"; do
		kill "$pid" 2>/dev/null || :
	done
	handler_teardown
}

# hold NAME PORT: a tunnel through that port, which has carried some bytes.
hold()
{
	local -n its_target=target_$1 its_client=client_$1
	local file=$BATS_TEST_TMPDIR/$1

	start_target expect:bye text:thanks eof
	its_target=$target
	"$HOSTS/client" -l 90 "tcp:127.0.0.1:$2" "${greet[@]}" \
		"send:$(request4 "$port")" reply:00 text:b "touch:$file.open" \
		"await:$file.close" text:ye expect:thanks shut closed 3>&- &
	its_client=$!
	held+=("$its_target" "$its_client")
	wait_until [ -e "$file.open" ]
}

# whole NAME...: these come to their end, with every byte.
whole()
{
	local name
	local -n its_target its_client

	for name; do
		: >"$BATS_TEST_TMPDIR/$name.close"
		unset -n its_target its_client
		local -n its_target=target_$name its_client=client_$name
		wait "$its_client"
		target=$its_target target_held
	done
}

# listens_inside PORT: somebody does.
listens_inside()
{
	in_network grep -qi "^ *[0-9]*: [0-9A-F]*:$(hex16 "$1") [0-9A-F:]* 0A " \
		/proc/net/tcp /proc/net/tcp6
}

refused()
{
	! listens_inside "$1"
}

# served_as USER PORT [CURLOPTION...]: a client of that port is, by a process of this user.
served_as()
{
	fetch "$BATS_TEST_TMPDIR/file" -x "socks5h://127.0.0.1:$2" "${@:3}" "$url"
	came_whole "$BATS_TEST_TMPDIR/file"
	served=$((served + 1))
	wait_until are_served "$served"
	[ "$(json _UID)" = "$(inside id -u "$1")" ]
}

# are_served N: so many have had the file; $fields is the last one's record.
are_served()
{
	inside journalctl --sync
	fields=$(journal -o json MESSAGE_ID="$message_id" SOCKS5_REPLY=0 |
		grep -E '"SOCKS5_BYTES_DOWN" *: *"3[0-9]{6}"')
	[ "$(wc -l <<<"$fields")" -eq "$1" ] || return
	fields=$(tail -n 1 <<<"$fields")
}

# keep_coming: one client after the other, by systemd and by xinetd, each of which
# is served, until there is the file.
keep_coming()
{
	for _ in {1..500}; do
		for port in 1080 1081; do
			curl -q -sS --noproxy '' --max-time 30 -o /dev/null \
				-x "socks5h://127.0.0.1:$port" \
				"http://localhost:$WEB_PORT/cgi-bin/sum" || return
		done
		[ ! -e "$BATS_TEST_TMPDIR/enough" ] || return 0
	done
}

@test "over version 0.1: tunnels stay whole, and what was edited stays" {
	local load served=0

	inside sed -i 's/\(disable.*\) yes/\1 no/; s/1080/1081/
		s/--lifetime=30/--lifetime=0/' /etc/xinetd.d/socks5-handler
	inside cp /etc/xinetd.d/socks5-handler /etc/edited
	inside systemctl start xinetd.service
	for unit in socks5-handler@.service socks5-handler-wait.service; do
		drop_in $unit ExecStart= \
			"ExecStart=/usr/bin/socks5-handler --lifetime=0"
	done
	# One by each of the three. The second of the sockets stops the first.
	inside systemctl start socks5-handler.socket
	hold instance 1080
	inside systemctl enable -q --now socks5-handler-wait.socket
	hold service 1080
	wait_until listens_inside 1081
	hold xinetd 1081
	inside find /run/systemd/system -mindepth 1 -delete

	keep_coming 3>&- &
	load=$!
	run make_inside install
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"/etc/xinetd.d/socks5-handler stays as it is; what would be new is /etc/xinetd.d/socks5-handler.new."* ]]
	[[ $output == *"Now: systemctl restart socks5-handler-wait.service"* ]]
	inside systemctl restart socks5-handler-wait.service
	: >"$BATS_TEST_TMPDIR/enough"
	wait $load

	inside cmp /etc/xinetd.d/socks5-handler /etc/edited
	inside grep -q 'disable.*yes' /etc/xinetd.d/socks5-handler.new
	# A real account, whatever systemd says of users that come and go.
	inside grep -q ^socks5-handler: /etc/passwd
	[ "$(inside stat -c '%U:%G %a' /etc/socks5-handler/users)" = \
		"root:socks5-handler 640" ]
	served_as socks5-handler 1080
	served_as nobody 1081
	inside systemctl start socks5-handler.socket
	served_as socks5-handler 1080
	whole instance service xinetd

	# What is new there is taken over: it reads what only the account may.
	inside mv /etc/xinetd.d/socks5-handler.new /etc/xinetd.d/socks5-handler
	inside sed -i 's/\(disable.*\) yes/\1 no/; s/1080/1081/' \
		/etc/xinetd.d/socks5-handler
	inside htpasswd -bB /etc/socks5-handler/users alice secret
	inside sh -c 'cd /etc/socks5-handler && echo "allow user=* to any, internal" >>rules
		echo "users $PWD/users" >>handler.conf
		echo "rules $PWD/rules" >>handler.conf'
	inside systemctl restart xinetd.service
	wait_until listens_inside 1081
	served_as socks5-handler 1081 -U alice:secret
	[ "$(json SOCKS5_USER)" = alice ]
	inside sed -i '$d' /etc/socks5-handler/users /etc/socks5-handler/rules
	inside sed -i '/^[^#]/d' /etc/socks5-handler/handler.conf
	no_failed_units
}

no_units()
{
	[ -z "$(inside systemctl list-units --all --plain --no-legend \
		'socks5*')" ]
}

@test "taken away while all of it is enabled: nothing leads to what is gone" {
	make_inside install
	inside sh -c 'echo "lifetime 0" >>/etc/socks5-handler/handler.conf'
	inside systemctl start xinetd.service
	inside sed -i 's/\(disable.*\) yes/\1 no/; s/1080/1081/' \
		/etc/xinetd.d/socks5-handler
	inside systemctl reload xinetd.service
	inside systemctl start socks5-handler.socket
	hold instance 1080
	inside systemctl enable -q --now socks5-handler-wait.socket \
		socks5-handler-unix.socket
	hold service 1080
	wait_until listens_inside 1081

	run make_inside uninstall
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = "This is yours, and was left:
    the account socks5-handler (userdel socks5-handler)
    /etc/socks5-handler/handler.conf
    /etc/xinetd.d/socks5-handler.saved
    /etc/xinetd.d/socks5-handler-wait.saved
    /etc/systemd/system/socks5-handler-wait.service.d
    /etc/systemd/system/socks5-handler@.service.d" ]
	for port in 1080 1081; do
		wait_until refused $port
	done
	inside [ ! -e /run/socks5-handler/socket ]
	[ -z "$(inside systemctl list-unit-files --no-legend 'socks5*')" ]
	inside find /etc /run /usr/bin /usr/lib/systemd /usr/lib/sysusers.d \
		/usr/share/man /usr/share/doc -maxdepth 3 \
		-name '*socks5*' ! -path '/run/systemd/*:1080-*' >"$BATS_TEST_TMPDIR/left"
	cat "$BATS_TEST_TMPDIR/left"
	[ "$(LC_ALL=C sort "$BATS_TEST_TMPDIR/left")" = "/etc/socks5-handler
/etc/systemd/system/socks5-handler-wait.service.d
/etc/systemd/system/socks5-handler@.service.d
/etc/xinetd.d/socks5-handler-wait.saved
/etc/xinetd.d/socks5-handler.saved" ]
	# xinetd itself ends those of a service that is gone.
	whole instance service
	wait_until no_units
	no_failed_units
}
