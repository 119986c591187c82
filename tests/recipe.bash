# SPDX-License-Identifier: ISC
# For bats: a page of doc/, done as it is written there: its files, under the
# paths that their first lines name, and its commands, under a real systemd and
# for clients on another host.
#
#	boot_for_recipes		in setup_file(), end_systemd in teardown_file()
#	start_recipe			in setup(), end_recipe in teardown()
#	recipe recipes "Egress to a list of names"

load systemd
load remote
load page

boot_for_recipes()
{
	# The sandbox is in this suite's network, for remote clients.
	[ "$(ip -o link show | wc -l)" -eq 1 ] ||
		unavailable "this suite has no network of its own" || return
	[ -z "${LEFT_OUT:-}" ] || return 0
	sandbox_option=--hostnet prefix=/usr/local boot_systemd \
		socks5-handler@.service socks5-handler-wait.service
	[ -z "${LEFT_OUT:-}" ] || return 0
	# Names that the pages have in them, and one that they haven't.
	printf '%s\n' '127.0.0.1 localhost' '192.0.2.2 www.example.org' \
		'192.0.2.2 example.org' '192.0.2.2 deb.debian.org' \
		'192.0.2.2 www.example.net' '192.0.2.1 inner.example.org' \
		>"/proc/$PID1/root/etc/hosts"
	echo 'hosts: files dns' >"/proc/$PID1/root/etc/nsswitch.conf"
}

start_recipe()
{
	# Its tools are for a sandbox in a network of its own.
	local path=$PATH hosts=$HOSTS

	enter_systemd
	PATH=$path HOSTS=$hosts
	start_remote
	unset proxy
	url=http://192.0.2.2:8080/file
	echo "far away" >"$BATS_TEST_TMPDIR/web/index.html"
	started=()
	written=()
	expected=()
	# By its own port, for rules that name it.
	start_there busybox httpd -f -p 0.0.0.0:80 -h "$BATS_TEST_TMPDIR/web"
	wait_until there curl -q -s --noproxy '*' -o /dev/null \
		http://192.0.2.2/
}

end_recipe()
{
	[ -z "${LEFT_OUT:-}" ] || return 0
	take_back
	for pid in "${started[@]}"; do
		end_process "$pid"
	done
	stop_remote
	handler_teardown
}

# start_there COMMAND...: on the other host, until the test is over
start_there()
{
	nsenter -t "$remote" -n "$@" 3>&- &
	started+=($!)
}

# start_https: on the other host, for the names of the pages; curl believes it.
start_https()
{
	need openssl
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=example.org \
		-addext subjectAltName=DNS:example.org,DNS:www.example.org \
		-keyout "$STATE/key.pem" -out "$STATE/cert.pem" 2>/dev/null
	export CURL_CA_BUNDLE=/sandbox/cert.pem
	start_there openssl s_server -quiet -www -accept 192.0.2.2:443 \
		-cert "$STATE/cert.pem" -key "$STATE/key.pem"
	wait_until there curl -q -s --noproxy '*' -o /dev/null \
		--cacert "$STATE/cert.pem" --connect-to ::192.0.2.2 \
		https://example.org/
}

# recipe [-w] PAGE HEADING: does it, and leaves in $clients the commands that a
# client runs. The others have our standard input. -w: by the listening service.
recipe()
{
	local wait="" block path first

	if [ "$1" = -w ]; then
		wait='s/socks5-handler\(@\.service\|\.socket\)/socks5-handler-wait\1/g
			s/-wait@/-wait/g'
		shift
	fi
	write_blocks "$@"
	[ -z "$wait" ] || sed -i "$wait" "$blocks"/*
	clients=()
	for block in "$blocks"/*; do
		first=$(head -n 1 "$block")
		case $first in
		'# /'*)
			path=${first#\# }
			inside mkdir -p "${path%/*}"
			tail -n +2 "$block" | inside tee "$path" >/dev/null
			written+=("$path")
			;;
		curl\ * | bwrap\ *) clients+=("$(cat "$block")") ;;
		*) inside setsid -w sh -eu -c "$(cat "$block")" ;;
		esac
	done
}

# take_back: the recipe's files, and what runs because of them.
take_back()
{
	local file

	inside systemctl disable -q --now socks5-handler{,-wait,-unix}.socket
	inside systemctl stop -q 'socks5-handler@*.service' \
		'socks5-handler-unix@*.service' socks5-handler-wait.service
	inside pkill -KILL -x socks5-handler || :
	for file in "${written[@]}"; do
		inside rm -f "$file"
	done
	written=()
	inside find /run/systemd/system -mindepth 1 -delete
	configured=yes restore_configuration
	inside systemctl daemon-reload
	inside systemctl reset-failed
}

# --- what has become of it ---

# expect_record FIELD=VALUE...: one more record is to be there, with these.
expect_record()
{
	expected+=("$(printf '%s\n' "$@")")
}

sessions_are()
{
	inside journalctl --sync
	[ "$(journal -o cat "MESSAGE_ID=$message_id" | wc -l)" -eq "$1" ]
}

# records_hold: for each record that is expected there is one, and no other.
records_hold()
{
	local -a records
	local want i field

	wait_until sessions_are ${#expected[@]} || :
	mapfile -d '' records < <(journal -o export "MESSAGE_ID=$message_id" |
		awk 'BEGIN { RS = ""; ORS = "\0" } { print }')
	journal -o cat
	[ ${#records[@]} -eq ${#expected[@]} ]
	for want in "${expected[@]}"; do
		for i in "${!records[@]}"; do
			while read -r field; do
				[[ ${records[i]} == *$'\n'"$field"$'\n'* ]] ||
					continue 2
			done <<<"$want"
			unset "records[$i]"
			continue 2
		done
		echo "no record has ${want//$'\n'/ }"
		return 1
	done
	expected=()
}

# here CURLOPTION...: a client on this host
here()
{
	curl -q -sS --noproxy '' --max-time 20 "$@"
}
